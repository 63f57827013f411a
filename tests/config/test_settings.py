"""Flag, environment, config.toml, default: which one wins, and how bad values are reported."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.config.api_key import find_api_key, require_key
from suno_wav_cli.config.credentials import Secrets, take_secrets
from suno_wav_cli.config.parsers import seconds
from suno_wav_cli.config.paths import find_paths
from suno_wav_cli.config.run import Run
from suno_wav_cli.config.settings import (
    Settings,
    choose,
    make_settings,
    read_config,
)
from suno_wav_cli.errors import NotAuthorized, UsageError
from suno_wav_cli.models import Secret, TunnelMode

if TYPE_CHECKING:
    from tests.support.program import Sandbox

HOME = "home"
ENVIRON = {"SUNO_WAV_HOME": HOME}


def written(text: str | bytes) -> Path:
    file = Path(HOME) / "config.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    file.chmod(0o600)
    return file


def load(flags: dict[str, object] | None = None, **environ: str) -> Settings:
    both = ENVIRON | environ
    return make_settings(choose(flags or {}, both, read_config(find_paths(both).config_file)))


def secrets_of(environ: dict[str, str]) -> Secrets:
    return take_secrets(environ, read_config(find_paths(environ).config_file))


def run_of(secrets: Secrets, settings: Settings) -> Run:
    return Run(
        settings=settings,
        choices=(),
        secrets=secrets,
        environ=ENVIRON,
        report=lambda _: None,
        interactive=False,
    )


def test_without_anything_the_defaults_are_in_force() -> None:
    assert load() == Settings()
    assert not Path(HOME).exists()


def test_the_sandbox_of_a_run_is_asked_more_often_than_a_service() -> None:
    assert load(SUNO_WAV_PROVIDER="sandbox").poll_interval == 2.0
    assert load(SUNO_WAV_PROVIDER="sandbox", SUNO_WAV_POLL_INTERVAL="9s").poll_interval == 9.0
    # One that runs by itself stands in for a service.
    assert load(SUNO_WAV_PROVIDER="sandbox", SUNO_WAV_BASE_URL="http://127.0.0.1:9").poll_interval == 30.0


@pytest.mark.parametrize(
    ("name", "flag", "variable", "line", "expected"),
    [
        pytest.param(
            "provider", "sandbox", "sunoapi", '"sandbox"', ("sandbox", "sunoapi", "sandbox"), id="provider"
        ),
        pytest.param(
            "base_url",
            "https://a.example/",
            "https://b.example/v1/",
            '"https://c.example"',
            ("https://a.example", "https://b.example/v1", "https://c.example"),
            id="base_url",
        ),
        pytest.param("out", "a.wav", "b.wav", '"c.wav"', ("a.wav", "b.wav", "c.wav"), id="out"),
        pytest.param(
            "tunnel",
            "none",
            "ngrok",
            '"auto"',
            (TunnelMode.NONE, TunnelMode.NGROK, TunnelMode.AUTO),
            id="tunnel",
        ),
        pytest.param("port", "3000", "3001", "3002", (3000, 3001, 3002), id="port"),
        pytest.param("poll_interval", "10s", "250ms", "45", (10.0, 0.25, 45.0), id="poll_interval"),
        pytest.param("timeout", "1h", "15m", '"2d"', (3600.0, 900.0, 172800.0), id="timeout"),
        pytest.param("retries", "0", "1", "2", (0, 1, 2), id="retries"),
        pytest.param("jobs", "1", "2", "3", (1, 2, 3), id="jobs"),
        pytest.param("force", True, "0", "true", (True, False, True), id="force"),
        pytest.param("json", True, "off", "true", (True, False, True), id="json"),
        pytest.param(
            "log_file",
            "a.log",
            "b.log",
            '"c.log"',
            (Path("a.log"), Path("b.log"), Path("c.log")),
            id="log_file",
        ),
        pytest.param(
            "public_url",
            "https://a.example",
            "https://b.example/x",
            '"https://c.example:8443"',
            ("https://a.example", "https://b.example/x", "https://c.example:8443"),
            id="public_url",
        ),
    ],
)
def test_a_flag_wins_over_the_environment_and_that_over_the_file(
    name: str, flag: object, variable: str, line: str, expected: tuple[object, object, object]
) -> None:
    written(f"{name} = {line}\n")
    environ = {f"SUNO_WAV_{name.upper()}": variable}
    found = (load({name: flag}, **environ), load({}, **environ), load())
    assert tuple(getattr(settings, name) for settings in found) == expected


def test_each_source_decides_for_its_own_settings_only() -> None:
    written("jobs = 3\nretries = 4\n")
    assert load({"port": 1}, SUNO_WAV_JOBS="2") == Settings(port=1, jobs=2, retries=4)


NAMES_OF_FILES = ("out", "save", "log_file", "exec", "tunnel_command", "checksums")


@pytest.mark.parametrize(
    "name", [field.name for field in fields(Settings) if field.name not in NAMES_OF_FILES]
)
def test_every_setting_can_come_from_the_environment(name: str) -> None:
    """No setting accepts a snowman, but a file could be named so."""
    variable = f"SUNO_WAV_{name.upper()}"
    with pytest.raises(UsageError, match=f"^{variable}: '\u2603' is not "):
        load({}, **{variable: "\u2603"})


def test_a_flag_that_was_not_given_does_not_count() -> None:
    assert load({"jobs": None}, SUNO_WAV_JOBS="2").jobs == 2


def test_an_empty_variable_does_not_count() -> None:
    written("jobs = 3\n")
    assert load({}, SUNO_WAV_JOBS="").jobs == 3


def test_an_overridden_bad_value_is_not_an_error() -> None:
    written('jobs = "many"\n')
    assert load({"jobs": "2"}, SUNO_WAV_JOBS="few").jobs == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(
            "jbos = 3\n", "config.toml, line 1: there is no setting 'jbos'", id="an unknown setting"
        ),
        pytest.param('api_key = "key-1"\n', "line 1: there is no setting 'api_key'", id="a key"),
        pytest.param("[convert]\njobs = 3\n", "line 1: there is no setting 'convert'", id="a section"),
        pytest.param("jobs = \n", "cannot be read", id="no value"),
        pytest.param("jobs = 3\njobs = 4\n", "cannot be read", id="a setting twice"),
        pytest.param("\x00\x01", "cannot be read", id="rubbish"),
        pytest.param(b"\xff\xfe\x00j", "cannot be read", id="bytes that are no text"),
        pytest.param(
            'jobs = "many"\n', "config.toml, line 1: jobs: 'many' is not a number from 1 to 1000", id="a word"
        ),
        pytest.param("jobs = 0\n", "jobs: '0' is not a number from 1", id="too few"),
        pytest.param("jobs = -1\n", "jobs: '-1' is not a number", id="fewer than none"),
        pytest.param("jobs = 2.0\n", "jobs: '2.0' is not a number", id="a fraction"),
        pytest.param("jobs = true\n", "jobs: 'true' is not a number", id="a truth value for a number"),
        pytest.param("port = 65536\n", "port: '65536' is not a number from 0 to 65535", id="a port"),
        pytest.param("force = 2\n", "force: '2' is not true or false", id="a number for a truth value"),
        pytest.param("poll_interval = 0\n", "poll_interval: '0' is not a duration", id="no time"),
        pytest.param('timeout = "31d"\n', "timeout: '31d' is not a duration", id="too long"),
        pytest.param("timeout = inf\n", "timeout: 'inf' is not a duration", id="for ever"),
        pytest.param("timeout = 00:30:00\n", "timeout: '00:30:00' is not a duration", id="a time of day"),
        pytest.param('provider = "napster"\n', "provider: 'napster' is not one of: sunoapi", id="a provider"),
        pytest.param('tunnel = "ssh"\n', "tunnel: 'ssh' is not one of: auto, ngrok, none", id="a tunnel"),
        pytest.param(
            'base_url = "api.example"\n', "base_url: 'api.example' is not an address", id="no scheme"
        ),
        pytest.param("port = [3000]\n", r"port: '\[3000\]' is not ", id="a list for a number"),
        pytest.param('out = ["song.wav"]\n', "out: ", id="a list for a text"),
        pytest.param("[out]\nfolder = 1\n", "out: ", id="a section for a text"),
        pytest.param('log_file = ["a.log"]\n', "log_file: ", id="a list for a path"),
    ],
)
def test_a_bad_config_file_is_reported_with_its_line(content: str | bytes, said: str) -> None:
    file = written(content)
    with pytest.raises(UsageError, match=said) as caught:
        load()
    assert str(file) in caught.value.message


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    """Editors on Windows write one."""
    path = written(b'\xef\xbb\xbfjobs = 2\nprovider = "kie"\n')
    assert (load().jobs, load().provider) == (2, "kie")
    assert read_config(path).place("jobs") == f"{path}, line 1"


def test_a_config_file_that_is_a_folder_is_reported() -> None:
    (Path(HOME) / "config.toml").mkdir(parents=True)
    with pytest.raises(UsageError, match="cannot be read"):
        load()


@pytest.mark.parametrize(
    ("flags", "environ", "place"),
    [
        pytest.param({"poll_interval": "soon"}, {}, "--poll-interval: 'soon'", id="a flag"),
        pytest.param(
            {}, {"SUNO_WAV_POLL_INTERVAL": "soon"}, "SUNO_WAV_POLL_INTERVAL: 'soon'", id="a variable"
        ),
    ],
)
def test_a_bad_value_is_reported_with_its_place(
    flags: dict[str, object], environ: dict[str, str], place: str
) -> None:
    with pytest.raises(UsageError, match=f"^{place} is not a duration"):
        load(flags, **environ)


@pytest.mark.timing
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90", 90.0),
        ("90s", 90.0),
        ("1.5s", 1.5),
        ("500ms", 0.5),
        ("15m", 900.0),
        ("1h", 3600.0),
        ("30d", 2592000.0),
        ("2 h", 7200.0),
    ],
)
def test_durations_are_read(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "0s",
        "-5s",
        "1h30m",
        "1,5s",
        "soon",
        "1e3",
        "nan",
        "inf",
        "31d",
        "5 parsecs",
        ".5s",
        "9" * 400,
        "\u0663",
        "\uff11m",
    ],
)
def test_an_invalid_duration_is_reported(text: str) -> None:
    with pytest.raises(ValueError, match="a duration; write 90, 90s, 15m or 1h, up to 30d"):
        seconds(text)


@given(text=st.text(st.one_of(st.characters(), st.sampled_from("0123456789.smhd ")), max_size=12))
def test_any_text_is_a_bounded_duration_or_a_value_error(text: str) -> None:
    try:
        found = seconds(text)
    except ValueError:
        return
    assert 0 < found <= 30 * 86400


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("ftp://a.example", id="another scheme"),
        pytest.param("//a.example", id="no scheme"),
        pytest.param("https://", id="nothing else"),
        pytest.param("https:///x", id="no host"),
        pytest.param("https://a b", id="a blank"),
        pytest.param("https://a\n", id="a line's end"),
        pytest.param("https://a.example:0", id="port 0"),
        pytest.param("https://a.example:99999", id="a port beyond 65535"),
        pytest.param("https://a:b", id="a port that is no number"),
        pytest.param("https://[::1", id="a bracket too few"),
        pytest.param("https://ä.example", id="other letters"),
        pytest.param("https://me@a.example", id="a person"),
        pytest.param("https://a..example", id="an empty label"),
        pytest.param(f"https://{'a' * 64}.example", id="a label of 64 letters"),
    ],
)
@pytest.mark.parametrize("name", ["base_url", "public_url", "callback_url"])
def test_an_invalid_address_is_reported(name: str, address: str) -> None:
    with pytest.raises(UsageError, match="is not an address"):
        load({name: address})


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("SUNO_WAV_BASE_URL", "https://me:sesame@api.example"),
        ("SUNO_WAV_BASE_URL", "https://me:open/sesame@api.example"),
        ("SUNO_WAV_FORWARD_TO", "me:sesame@localhost:8000/callback"),
    ],
)
def test_a_password_in_an_address_is_not_repeated(name: str, address: str) -> None:
    """Nothing printed ever holds a key."""
    with pytest.raises(UsageError) as caught:
        load({}, **{name: address})
    assert "sesame" not in caught.value.message + caught.value.remedy


def test_an_unknown_users_home_is_reported() -> None:
    with pytest.raises(UsageError, match="nobody-of-this-name"):
        load({"log_file": "~nobody-of-this-name/a.log"})


@pytest.mark.long
def test_an_unknown_users_home_as_the_folder_is_reported(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+nobody", env={"SUNO_WAV_HOME": "~nobody-of-this-name"})
    assert (done.code, sandbox.counted("submissions", "demo+nobody")) == (2, 0)


def test_one_variable_moves_both_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    environ = {"SUNO_WAV_HOME": "~/suno"}
    assert find_paths(environ).config_file == Path("/home/me/suno/config.toml")
    assert find_paths(environ).journal == Path("/home/me/suno/journal.sqlite3")


def test_the_default_folders_are_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/xdg/config")
    monkeypatch.setenv("XDG_STATE_HOME", "/xdg/state")
    assert find_paths({}).config_file == Path("/xdg/config/suno-wav/config.toml")
    assert find_paths({}).journal == Path("/xdg/state/suno-wav/journal.sqlite3")


def test_secrets_come_from_the_environment() -> None:
    secrets = secrets_of({"SUNO_API_KEY": " key-1\n", "NGROK_AUTHTOKEN": "token-1"})
    assert (secrets.api_key, secrets.ngrok_token) == (Secret(value="key-1"), Secret(value="token-1"))


@pytest.mark.parametrize("value", [None, "", "  ", "\n"])
def test_an_empty_secret_is_none(value: str | None) -> None:
    environ = {} if value is None else {"SUNO_API_KEY": value}
    assert secrets_of(environ).api_key is None


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("sesame open", id="a blank inside"),
        pytest.param("sesame\r\nX-Evil: 1", id="a header of its own"),
        pytest.param("sesame\0", id="a zero"),
        pytest.param("“sesame", id="a typographic quote"),
        pytest.param("sesame\u200b", id="an invisible letter"),
        pytest.param("sesame\x7f", id="a control character"),
        pytest.param("sesamé", id="an accent"),
    ],
)
@pytest.mark.parametrize("variable", ["SUNO_API_KEY", "NGROK_AUTHTOKEN"])
def test_a_secret_that_does_not_fit_into_a_header_is_reported_and_not_shown(
    variable: str, value: str
) -> None:
    with pytest.raises(
        NotAuthorized, match=f"{variable} contains characters that a key cannot have"
    ) as caught:
        secrets_of({variable: value})
    assert "sesam" not in caught.value.message + caught.value.remedy


def test_secrets_leave_the_environment_that_child_processes_inherit() -> None:
    environ = ENVIRON | {"SUNO_API_KEY": "key-1", "NGROK_AUTHTOKEN": "token-1", "SUNO_WAV_HMAC_KEY": "hmac-1"}
    secrets = secrets_of(environ)
    assert secrets == Secrets(
        api_key=Secret(value="key-1"), ngrok_token=Secret(value="token-1"), hmac_key=Secret(value="hmac-1")
    )
    assert environ == ENVIRON


def test_the_file_may_hold_the_token_and_the_webhook_key_but_not_the_api_key() -> None:
    written('ngrok_authtoken = "token-1"\nhmac_key = "sésame öffne dich"\n')
    assert secrets_of({**ENVIRON}) == Secrets(
        api_key=None, ngrok_token=Secret(value="token-1"), hmac_key=Secret(value="sésame öffne dich")
    )
    assert secrets_of(ENVIRON | {"NGROK_AUTHTOKEN": "token-2"}).ngrok_token == Secret(value="token-2")
    assert load() == Settings()
    written('api_key = "key-1"')
    with pytest.raises(UsageError, match="there is no setting 'api_key'"):
        load()


def test_a_bad_token_in_the_file_is_reported_with_its_line_and_not_shown() -> None:
    written('ngrok_authtoken = "open sesame"')
    with pytest.raises(NotAuthorized, match="ngrok_authtoken contains characters") as caught:
        secrets_of({**ENVIRON})
    assert "sesame" not in caught.value.message


def test_a_secret_hides_itself() -> None:
    secrets = secrets_of({"SUNO_API_KEY": "sesame", "NGROK_AUTHTOKEN": "open"})
    for shown in (
        repr(secrets),
        str(secrets),
        f"{secrets.api_key}",
        repr([secrets.api_key]),
        f"{secrets.api_key!s}",
    ):
        assert "sesame" not in shown
        assert "open" not in shown


def test_the_sandbox_accepts_any_key_and_the_service_needs_one() -> None:
    nothing, something = secrets_of({}), secrets_of({"SUNO_API_KEY": "key-1"})
    service, practice = Settings(), Settings(provider="sandbox")
    any_key = find_api_key(run_of(nothing, practice))
    assert any_key is not None
    assert any_key.value != ""
    assert (
        find_api_key(run_of(something, practice))
        == find_api_key(run_of(something, service))
        == Secret(value="key-1")
    )
    without = run_of(nothing, service)
    with pytest.raises(NotAuthorized, match="there is no API key") as caught:
        require_key(without, find_api_key(without))
    assert "suno-wav login" in caught.value.remedy
