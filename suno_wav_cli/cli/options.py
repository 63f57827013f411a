"""The options that are also settings, as types of a command's parameters.

A parameter named as a field of `Settings` holds that setting. It is None if the option was not
given; the environment, config.toml and the default decide then.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated, TypeVar

import typer

from suno_wav_cli.api.providers import PROVIDERS, SUNOAPI
from suno_wav_cli.config.parsers import shown_value
from suno_wav_cli.models import TunnelMode

T = TypeVar("T")


def usable(parse: Callable[[str], T], value: str | T) -> T:
    """Read the value of an option that is no setting; a default is read already.

    Raise BadParameter, which says what the value has to be.
    """
    if not isinstance(value, str):
        return value
    try:
        return parse(value)
    except ValueError as error:
        raise typer.BadParameter(f"'{shown_value(value)}' is not {error}") from None


def _remember(context: typer.Context, parameter: typer.CallbackParam, value: object) -> object:
    """Keep a global option. One given after the command wins over one given before it."""
    given = context.ensure_object(dict)
    if value is not None:
        given[parameter.name] = value
    return value


# The global options, which every command accepts besides its own.

GLOBAL = ("json", "quiet", "verbose", "no_color", "provider", "base_url", "log_file")

_global_option = partial(typer.Option, callback=_remember, expose_value=False)

Json = Annotated[bool | None, _global_option("--json", help="Print one JSON object per line.")]
Quiet = Annotated[bool | None, _global_option("--quiet", "-q", help="Print errors only.")]
Verbose = Annotated[
    bool | None, _global_option("--verbose", "-v", help="Print more, and the traceback of a bug.")
]
NoColor = Annotated[bool | None, _global_option("--no-color", help="Disable colours, as NO_COLOR does.")]
Provider = Annotated[
    str | None,
    _global_option(
        metavar="NAME",
        help=f"API to use: {', '.join(PROVIDERS)} (local and free). Default: {SUNOAPI.name}.",
        autocompletion=lambda: list(PROVIDERS),
    ),
]
BaseUrl = Annotated[
    str | None,
    _global_option(metavar="URL", help="Address of the API: a reseller's, or a running sandbox's."),
]
LogFile = Annotated[
    str | None, _global_option(metavar="FILE", help="Append every event to FILE, one JSON object per line.")
]

# Songs: where they go, how many at once, how long.

Out = Annotated[
    str | None,
    typer.Option(
        "--out",
        "-o",
        metavar="PATH",
        help="File, folder/, - (standard output), or a template with {title} {audio_id} {id8} {task_id} "
        "{date}. Default: AUDIO_ID.wav.",
    ),
]
Force = Annotated[bool | None, typer.Option("--force", "-f", help="Overwrite existing files.")]
SkipExisting = Annotated[bool | None, typer.Option("--skip-existing", help="Skip songs whose file exists.")]
Jobs = Annotated[str | None, typer.Option(metavar="N", help="Files to download at once. Default: 4.")]
Window = Annotated[
    str | None,
    typer.Option(
        metavar="N/TIME", help="Most songs to submit within TIME, all programs together. Default: 20/10s."
    ),
]
PollInterval = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Time between status checks: 90, 90s, 15m, 1h. Default: 30s."),
]
Timeout = Annotated[
    str | None, typer.Option(metavar="TIME", help="Time to wait for each song. Default: 30m.")
]
Retries = Annotated[
    str | None,
    typer.Option(
        metavar="N",
        help="Retries of a request that is safe to repeat. Default: 5; for downloads, until --timeout.",
    ),
]
MaxCredits = Annotated[
    str | None,
    typer.Option(metavar="X", help="Refuse to start if it costs more. A WAV costs 0.4. Default: no limit."),
]

# Downloads.

Tag = Annotated[
    bool | None, typer.Option("--tag", help="Write title, style, lyrics and cover into the file.")
]
Exec = Annotated[
    str | None,
    typer.Option(
        metavar="COMMAND",
        help="Run COMMAND for each saved song, without a shell; {} is its path (default: the last word).",
    ),
]
InfoJson = Annotated[
    bool | None,
    typer.Option("--info-json", help="Write what is known of each song to SONG.json, for --from-file."),
]
Checksums = Annotated[
    str | None, typer.Option(metavar="FILE", help="Add each song to FILE, which `sha256sum -c` reads.")
]
Connections = Annotated[
    str | None, typer.Option(metavar="N", help="Connections per large file, from 1 to 4. Default: 4.")
]
LimitRate = Annotated[
    str | None, typer.Option(metavar="SPEED", help="Limit downloads to this many bytes per second: 500k, 2M.")
]
MinSpeed = Annotated[
    str | None, typer.Option(metavar="SPEED", help="Reconnect if a download is slower. Default: 1k.")
]
StallTimeout = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Reconnect after this long below --min-speed. Default: 20s."),
]
MaxSize = Annotated[str | None, typer.Option(metavar="SIZE", help="Refuse larger files. Default: 4GiB.")]
AllowPrivateHosts = Annotated[
    bool | None,
    typer.Option("--allow-private-hosts", help="Download from addresses of private networks too."),
]

# Callbacks.

Tunnel = Annotated[
    str | None,
    typer.Option(
        metavar="auto|ngrok|none",
        autocompletion=lambda: [*TunnelMode],
        help="How callbacks reach this machine; none polls only. Default: auto.",
    ),
]
TunnelCommand = Annotated[
    str | None,
    typer.Option(
        metavar="COMMAND",
        help="Open the tunnel with COMMAND, which prints its https address; {port} is the receiver's port.",
    ),
]
Domain = Annotated[
    str | None, typer.Option(metavar="NAME", help="ngrok domain to use. Default: your account's.")
]
PublicUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="Public URL of your own that forwards to --port.")
]
CallbackUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="Have callbacks sent to URL instead, and poll.")
]
Port = Annotated[str | None, typer.Option(metavar="N", help="Port of the receiver. Default: any free port.")]
CallbackPath = Annotated[
    str | None,
    typer.Option("--path", metavar="/PATH", help="URL path of the receiver. Default: /suno-wav-callback."),
]
NoSecret = Annotated[
    bool | None, typer.Option("--no-secret", help="Do not add an unguessable token to the path.")
]
ForwardTo = Annotated[
    str | None, typer.Option(metavar="URL", help="Forward each delivery to URL and show the response.")
]
KeepForwardedHeaders = Annotated[
    bool | None,
    typer.Option("--keep-forwarded-headers", help="Forward X-Forwarded-* headers of proxies too."),
]
Save = Annotated[str | None, typer.Option(metavar="DIR", help="Save each delivery with its headers in DIR.")]
MaxEvents = Annotated[
    str | None,
    typer.Option(
        metavar="N",
        help="End after N genuine deliveries; after any N if only this machine reaches the receiver.",
    ),
]
