"""A service that cannot be reached: which host and port, by which proxy, and what set them."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from suno_wav_cli.api.error_messages import lead_to_service
from tests.support.program import REPOSITORY, run_program

HERE = "127.0.0.1"


@pytest.mark.first_cases(3)
@pytest.mark.parametrize(
    ("env", "options", "said"),
    [
        pytest.param(
            {},
            ("--base-url", f"https://{HERE}:PORT"),
            [
                f"reached at {HERE}:PORT: the connection was refused",
                "the address, which comes from --base-url",
            ],
            id="an option",
        ),
        pytest.param(
            {"HTTPS_PROXY": f"http://somebody:sesame@{HERE}:PORT"},
            (),
            [
                f"at api.sunoapi.org:443 through the proxy {HERE}:PORT of HTTPS_PROXY: the connection was refused",
                "unset HTTPS_PROXY",
            ],
            id="a proxy",
        ),
        pytest.param(
            {"SSL_CERT_FILE": "missing.pem"},
            (),
            ["SSL_CERT_FILE is missing.pem: no such file or directory", "Correct SSL_CERT_FILE"],
            id="certificates",
        ),
        pytest.param(
            {"SUNO_WAV_BASE_URL": "https://no-such-name.invalid"},
            (),
            ["at no-such-name.invalid:443: its name does not resolve", "comes from SUNO_WAV_BASE_URL"],
            id="a variable",
        ),
        pytest.param(
            {"CONFIG": f'base_url = "http://{HERE}:PORT"'},
            (),
            [f"at {HERE}:PORT: the connection was refused", "config.toml, line 1"],
            id="a line of config.toml",
        ),
        pytest.param(
            {"all_proxy": "http://no-such-proxy.invalid:3128"},
            (),
            ["through the proxy no-such-proxy.invalid:3128 of all_proxy: its name does not resolve"],
            id="the name of a proxy",
        ),
        pytest.param(
            {"ALL_PROXY": f"socks5://somebody:sesame@{HERE}:PORT"},
            (),
            ["the proxy of ALL_PROXY is a SOCKS proxy", "-m pip install socksio"],
            id="a SOCKS proxy",
        ),
        pytest.param(
            {"HTTPS_PROXY": "gopher://somebody:sesame@host"},
            (),
            ["names in HTTPS_PROXY cannot be used", "as in http://HOST:PORT"],
            id="a scheme that no proxy has",
        ),
        pytest.param(
            {"SSL_CERT_FILE": "empty.pem"},
            (),
            ["empty.pem: there is no certificate in it"],
            id="no certificates",
        ),
    ],
)
def test_the_error_names_the_way_and_what_set_it(
    env: dict[str, str], options: tuple[str, ...], said: list[str], free_port: int
) -> None:
    """No number of the system's, no class of a library, and no password."""
    Path("empty.pem").touch()
    if "CONFIG" in env:
        file = Path(os.environ["SUNO_WAV_HOME"]) / "config.toml"
        file.parent.mkdir()
        file.write_text(env["CONFIG"].replace("PORT", str(free_port)))
    done = run_program(
        "credits",
        *(word.replace("PORT", str(free_port)) for word in options),
        env={
            "SUNO_API_KEY": "any",
            "SUNO_WAV_RETRIES": "0",
            **{name: value.replace("PORT", str(free_port)) for name, value in env.items()},
        },
    )
    assert done.code in (2, 6)
    for text in said:
        # The advice, too, may hold the port.
        assert text in done.err or text.replace("PORT", str(free_port)) in done.err
    for noise in ("Errno", "httpx", "sesame"):
        assert noise not in done.err


def test_every_command_in_the_texts_of_the_api_can_lead_to_the_service() -> None:
    """`lead_to_service` knows the commands by their words."""
    texts = [
        node.value
        for module in (REPOSITORY / "suno_wav_cli" / "api").glob("*.py")
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "suno-wav " in node.value
    ]
    assert texts
    for text in texts:
        led = lead_to_service(text, ("--provider", "kie"))
        assert led.count("--provider kie") == text.count("suno-wav "), text
