"""Every option that is also a setting, declared once. None means: not given on the command line."""

import inspect
from typing import Annotated, Any

import typer

from suno_wav_cli.api.providers import PROVIDERS, SANDBOX, SUNOAPI
from suno_wav_cli.models import TunnelMode


def option(name: str, kind: Any, *declarations: str, **more: Any) -> inspect.Parameter:
    flags = declarations or ("--" + name.replace("_", "-"),)
    annotation = Annotated[kind | None, typer.Option(*flags, show_default=False, **more)]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


GLOBAL = (
    option("json", bool, "--json", help="One JSON object a line on standard output."),
    option("quiet", bool, "--quiet", "-q", help="Say errors only."),
    option("verbose", bool, "--verbose", "-v", help="Say more; show the traceback of a bug."),
    option("no_color", bool, "--no-color", help="No colours (NO_COLOR does the same)."),
    option(
        "provider",
        str,
        autocompletion=lambda: list(PROVIDERS),
        metavar="NAME",
        help=f"{', '.join(PROVIDERS)}: whose API it is. Default: {SUNOAPI.name}; {SANDBOX} practises on this machine.",
    ),
    option(
        "base_url", str, metavar="URL", help="The API's address, for resellers and for a running sandbox."
    ),
    option("log_file", str, metavar="FILE", help="Append every event to FILE, one JSON object a line."),
)

_COMMAND = (
    option(
        "out",
        str,
        "--out",
        "-o",
        metavar="PATH",
        help="A file, a folder/, - for standard output, or a template with {title} {audio_id} {id8} {task_id} {date}. Default: AUDIO_ID.wav here.",
    ),
    option(
        "tunnel",
        TunnelMode,
        help="How callbacks reach this machine; none: ask the service instead. Default: auto.",
    ),
    option("public_url", str, metavar="URL", help="Your own public address that leads to --port."),
    option("callback_url", str, metavar="URL", help="Have the service post elsewhere; this program asks."),
    option("domain", str, metavar="NAME", help="The ngrok domain to use. Default: the one of your account."),
    option("port", str, metavar="N", help="Port of the local receiver. Default: a free one."),
    option("path", str, metavar="PATH", help="Where callbacks are accepted. Default: /suno-wav-callback."),
    option("no_secret", bool, "--no-secret", help="Do not put an unguessable token behind the path."),
    option("forward_to", str, metavar="URL", help="Pass each delivery on, and show what came back."),
    option("save", str, metavar="DIR", help="Keep each delivery, with its headers, as a file."),
    option("max_events", str, metavar="N", help="Leave after so many deliveries."),
    option(
        "poll_interval", str, metavar="TIME", help="Between two questions: 90, 90s, 15m, 1h. Default: 30s."
    ),
    option("timeout", str, metavar="TIME", help="How long to wait for a song. Default: 30m."),
    option(
        "retries",
        str,
        metavar="N",
        help="How often to try again what may safely be tried again. Default: 5; for a download, until --timeout is up.",
    ),
    option("jobs", str, metavar="N", help="Songs in flight. Default: 20."),
    option("force", bool, "--force", "-f", help="Overwrite existing files."),
    option("skip_existing", bool, "--skip-existing", help="Count an existing file as done."),
    option("tag", bool, "--tag", help="Write title, style, lyrics and cover into the file."),
    option(
        "connections",
        str,
        metavar="N",
        help="At once for one large file, where its server allows. Default: 4; 1 is the most careful.",
    ),
    option("limit_rate", str, metavar="SPEED", help="Download no faster, in bytes a second: 500k, 2M."),
    option("min_speed", str, metavar="SPEED", help="Connect again where a download is slower. Default: 1k."),
    option(
        "stall_timeout",
        str,
        metavar="TIME",
        help="How long a download may be silent, or slower than --min-speed. Default: 20s.",
    ),
    option("max_size", str, metavar="SIZE", help="Download no larger file. Default: 4.29G."),
    option(
        "max_credits",
        str,
        metavar="X",
        help="Begin nothing that costs more; a WAV costs 0.4. Default: no limit.",
    ),
)

DOWNLOAD = ("tag", "connections", "limit_rate", "min_speed", "stall_timeout", "max_size")
"""The settings of every command that fetches files."""

BY_NAME = {option.name: option for option in GLOBAL + _COMMAND}
