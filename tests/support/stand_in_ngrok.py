"""A stand-in for the ngrok agent, as a program: its command line, log, local API and public side.

Standard library only. STAND_IN_NGROK_MODE, _VERSION, _POLICY, _SPAM and _STATE in its environment
configure it.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from tests.support.stand_in_ngrok_config import (
    ENDPOINTS_SINCE,
    Config,
    Refused,
    check_options,
    default_path,
    read_config,
    read_flags,
    version_of,
)
from tests.support.stand_in_ngrok_public import Endpoint, Reply, Request, Server, only_path
from tests.support.stand_in_ngrok_words import DIAL_ERRORS, IN_USE, NO_SUCH_DOMAIN, REFUSALS, USAGE, Log

STOPS = {signal.SIGTERM, signal.SIGINT}
MODES = {
    "ok",
    *REFUSALS,
    "in-use",
    "no-such-domain",
    "offline",
    "swallowed",
    "silent",
    "mute",
    "crash",
    "not-serving",
    "bad-gateway",
}
POLICIES = {"any", "string", "dict", "never"}


def _setting(name: str, default: str) -> str:
    return os.environ.get(f"STAND_IN_NGROK_{name}", default)


class Agent:
    def __init__(self, arguments: list[str]) -> None:
        self.arguments = arguments
        self.mode, self.policy = _setting("MODE", "ok"), _setting("POLICY", "any")
        assert self.mode in MODES, self.mode
        assert self.policy in POLICIES, self.policy
        self.version_text = _setting("VERSION", "3.39.10")
        self.version = version_of(self.version_text)
        self.spam_per_connection = int(_setting("SPAM", "0"))
        self.started = time.monotonic()
        self.session_id = secrets.token_hex(6)
        self.log = Log()
        self.config = Config()
        self.online = False
        self.ended: str | None = None
        self.endpoints: dict[str, Endpoint] = {}
        self.posts: list[dict[str, Any]] = []
        self.web_address: str | None = None
        self._changing = threading.RLock()
        folder = os.environ.get("STAND_IN_NGROK_STATE")
        self._file = Path(folder) / f"{os.getpid()}.json" if folder else None
        self._control = Server(self._order) if folder else None
        self.write_down()

    # The state, for a test to see.

    def state(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "started": self.started,
            "session": os.getsid(0),
            "argv": sys.argv,
            "command": self.arguments[0] if self.arguments else "",
            "environ": sorted(os.environ),
            "mode": self.mode,
            "version": self.version_text,
            "config_files": self.config.files,
            "control_address": self._control.address if self._control else None,
            "web_address": self.web_address,
            "online": self.online,
            "endpoints": [endpoint.as_json() for endpoint in list(self.endpoints.values())],
            "public_url": next((endpoint.public_url for endpoint in self.endpoints.values()), None),
            "posts": self.posts,
            "ended": self.ended,
        }

    def write_down(self) -> None:
        if self._file is None:
            return
        with self._changing:
            new = self._file.with_suffix(".new")
            new.write_text(json.dumps(self.state(), indent=1), encoding="utf-8")
            new.replace(self._file)

    def end(self, how: str) -> None:
        self.ended = how
        self.write_down()

    # The life of the process.

    def run(self) -> int:
        match self.arguments:
            case ["--version" | "version"]:
                sys.stdout.write(f"ngrok version {self.version_text}\n")
                code = 0
            case ["start", *flags]:
                code = self._start(flags)
            case _:
                sys.stderr.write(f'ERROR:  unknown command "{" ".join(self.arguments)}" for "ngrok"\n')
                code = 1
        if self.ended is None:
            self.end(f"exit {code}")
        return code

    def _start(self, flags: list[str]) -> int:
        if self.mode == "silent":
            return self._wait_for_stop()
        if self.mode == "crash":
            return self._fail("the stand-in was told to crash")
        try:
            self._configure(flags)
            self.write_down()
            if self.mode == "mute":
                return self._wait_for_stop()
            self._serve_api()
            if self.mode == "offline":
                return self._try_for_ever()
            if self.mode != "swallowed":
                self._begin_session()
        except Refused as refused:
            return self._fail(str(refused))
        return self._wait_for_stop()

    @staticmethod
    def _fail(words: str) -> int:
        lines = "".join(f"ERROR:  {line}\n" for line in words.split("\n"))
        sys.stderr.write(f"{USAGE}{lines}")
        return 1

    def _configure(self, flags: list[str]) -> None:
        given = read_flags(flags)
        self.log.open = given.get("--log") == ["stdout"]
        paths = given.get("--config", [])
        if not paths:
            self.log.line("info", "no configuration paths supplied")
            if default_path().exists():
                paths = [str(default_path())]
                self.log.line("info", "using configuration at default config path", path=paths[0])
            else:
                message = "ignoring default config path, could not stat it"
                self.log.line("info", message, path=default_path())
        for path in paths:
            self.log.line("info", "open config file", path=path, err="nil")
            read_config(path, self.version, self.config)
        tokens = [*given.get("--authtoken", []), self.config.authtoken, os.environ.get("NGROK_AUTHTOKEN")]
        self.config.authtoken = next((token for token in tokens if token), None)

    def _serve_api(self) -> None:
        if self.config.web_addr is not None:
            host, _, port = self.config.web_addr.rpartition(":")
            try:
                web = Server(self._api, (host or "127.0.0.1", int(port)))
            except OSError as error:
                message = f"listen tcp {self.config.web_addr}: bind: address already in use"
                self.log.line("crit", "command failed", err=message)
                raise Refused(message) from error
        else:
            web = self._first_free(4040)
        self.web_address = web.address
        self.log.line("info", "starting web service", obj="web", addr=web.address)
        self.write_down()

    def _first_free(self, port: int) -> Server:
        try:
            return Server(self._api, ("127.0.0.1", port))
        except OSError:
            if port == 4040:
                message = "can't bind default web address, trying alternatives"
                self.log.line("warn", message, obj="web", addr=f"127.0.0.1:{port}")
            return self._first_free(port + 1)

    def _begin_session(self) -> None:
        words = REFUSALS.get(self.mode if self.config.authtoken else "no-token")
        if words is not None:
            error = "authentication failed: " + words.format(
                token=self.config.authtoken, version=self.version_text
            )
            self.log.line("eror", "failed to reconnect session", obj="tunnels.session", err=error)
            self.log.line("info", "session closing", obj="tunnels.session", err=error)
            self.log.line("eror", "terminating with error", obj="app", err=error)
            self.log.line("crit", "command failed", err=error)
            raise Refused(error.replace("\r", ""))
        self.online = True
        self.log.line("info", "tunnel session started", obj="tunnels.session")
        self.log.line("info", "client session established", obj="csess", id=self.session_id)
        self.write_down()

    def _try_for_ever(self) -> int:
        begin = time.monotonic()
        for after, error in DIAL_ERRORS:
            stopped = signal.sigtimedwait(STOPS, max(0.0, begin + after - time.monotonic()))
            if stopped is not None:
                return self._stop(stopped.si_signo)
            self.log.line("eror", "failed to reconnect session", obj="csess", id=self.session_id, err=error)
        return self._wait_for_stop()

    def _wait_for_stop(self) -> int:
        return self._stop(signal.sigwait(STOPS))

    def _stop(self, number: int) -> int:
        # Written first: the log may not be read any more.
        self.end(signal.Signals(number).name)
        self.log.line("info", "received stop request", obj="app", stopReq="{err:<nil> restart:false}")
        self.log.line("info", "session closing", obj="tunnels.session", err="nil")
        return 0

    # The local API.

    def _api(self, request: Request) -> Reply:
        about = {"pg": request.path, "id": secrets.token_hex(8)}
        self.log.line("info", "start", **about)
        reply = self._route(request)
        if reply.status >= 400:
            said = json.loads(reply.body)
            self.log.line("warn", said["msg"], **about, **said["details"])
        self.log.line("info", "end", **about, status=reply.status, dur="201.5µs")
        return reply

    def _route(self, request: Request) -> Reply:
        _, _, rest = request.path.partition("/api/")
        kind, _, name = rest.partition("/")
        known = {"tunnels", "endpoints", "status"} if self.version >= ENDPOINTS_SINCE else {"tunnels"}
        if kind not in known:
            return _error(None, 404, "Not Found", path=request.path)
        if kind == "status":
            status = "online" if self.online else "reconnecting"
            return Reply.json(
                200, {"status": status, "agent_version": self.version_text, "session": {"legs": []}}
            )
        if not name and request.method == "POST":
            reply = self._open(kind, request)
            self.write_down()
            return reply
        if not name:
            listed = [self._shown(kind, endpoint) for endpoint in list(self.endpoints.values())]
            return Reply.json(200, {kind: listed, "uri": f"/api/{kind}"})
        return self._one(kind, name, request.method)

    def _one(self, kind: str, name: str, method: str) -> Reply:
        # The agent unescapes the path before it takes it apart, so a name with slashes is never found.
        if "/" in unquote(name):
            return _error(None, 404, "Not Found", path=f"/api/{kind}/{unquote(name)}")
        endpoint = self.endpoints.get(unquote(name))
        if endpoint is None:
            return _error(100, 404, "tunnel not found", name=name)
        if method == "DELETE":
            del self.endpoints[name]
            endpoint.close()
            self.write_down()
            return Reply(status=204)
        return Reply.json(200, self._shown(kind, endpoint))

    def _open(self, kind: str, request: Request) -> Reply:
        try:
            options = json.loads(request.body)
        except json.JSONDecodeError:
            return _error(None, 400, "failed to deserialize request parameter", err="unexpected EOF")
        reply = self._opened(kind, options)
        self.posts.append({"path": request.path, "options": options, "status": reply.status})
        return reply

    def _opened(self, kind: str, options: dict[str, Any]) -> Reply:
        try:
            check_options(options, endpoint=kind == "endpoints", version=self.version, policy=self.policy)
            policy = options.get("traffic_policy")
            path = only_path(json.loads(policy) if isinstance(policy, str) else policy) if policy else None
            upstream = options["upstream"]["url"] if kind == "endpoints" else str(options["addr"])
            if "://" not in upstream:
                upstream = f"http://localhost:{upstream}" if upstream.isdecimal() else f"http://{upstream}"
            _ = urlsplit(upstream).port
        except (Refused, ValueError) as error:
            return _error(102, 400, "invalid tunnel configuration", err=str(error))
        if not self.online:
            why = "a successful ngrok tunnel session has not yet been established"
            return _error(104, 503, "ngrok is not yet ready to start tunnels", err=why)
        asked = next((options[key] for key in ("url", "domain", "hostname") if key in options), None)
        failure = None
        if self.mode == "in-use":
            failure = IN_USE.format(url=asked or "https://stand-in.ngrok-free.dev")
        elif self.mode == "no-such-domain" and asked is not None:
            failure = NO_SUCH_DOMAIN
        if failure is not None:
            return _error(103, 502, "failed to start tunnel", err=failure)
        endpoint = Endpoint(options, upstream, path, self._joined, self._refusal)
        self.endpoints[endpoint.name] = endpoint
        self._say_started(endpoint)
        return Reply.json(201, self._shown(kind, endpoint))

    def _say_started(self, endpoint: Endpoint) -> None:
        about = {"name": endpoint.name, "addr": endpoint.upstream, "url": endpoint.public_url}
        self.log.line("info", "started tunnel", obj="tunnels", **about)

    @staticmethod
    def _shown(kind: str, endpoint: Endpoint) -> dict[str, Any]:
        count = {"count": endpoint.counts["forwarded"], "gauge": 0, "rate1": 0, "rate5": 0, "rate15": 0}
        shown: dict[str, Any] = {
            "name": endpoint.name,
            "ID": secrets.token_hex(16),
            "uri": f"/api/{kind}/{quote(endpoint.name, safe=':')}",
            "metrics": {"conns": count, "http": count},
        }
        if kind == "endpoints":
            return shown | {"url": endpoint.known_url, "upstream": {"url": endpoint.upstream}}
        config = {"addr": endpoint.upstream, "inspect": bool(endpoint.options.get("inspect", True))}
        return shown | {"public_url": endpoint.known_url, "proto": "http", "config": config}

    # The public side.

    def _joined(self, endpoint: Endpoint, request: Request) -> None:
        left = endpoint.upstream.rpartition("/")[2]
        about = {"obj": "join", "id": secrets.token_hex(6), "l": left, "r": f"{request.client}:443"}
        self.log.line("info", "join connections", **about)
        self._spam(self.spam_per_connection)

    def _refusal(self, endpoint: Endpoint) -> Reply | None:
        if not self.online or self.mode == "not-serving":
            return endpoint.offline()
        return endpoint.bad_gateway() if self.mode == "bad-gateway" else None

    def _spam(self, lines: int) -> None:
        for number in range(lines):
            self.log.line("info", "heartbeat received", obj="csess", id=self.session_id, latency_ms=number)

    # What a test orders.

    def _order(self, request: Request) -> Reply:
        order = json.loads(request.body or b"{}")
        match request.path:
            case "/lose":
                self._lose(int(order["tries"]))
            case "/return":
                self._return(new_url=bool(order["new_url"]))
            case "/die":
                self.end(f"died {order['code']}")
                os._exit(order["code"])
            case "/spam":
                spam = threading.Thread(target=self._spam, args=(int(order["lines"]),), daemon=True)
                spam.start()
                # Without a reader, the lines wait longer than an order may.
                spam.join(float(order["seconds"]))
                return Reply.json(200, {"written": not spam.is_alive()})
            case "/spam-per-connection":
                self.spam_per_connection = int(order["lines"])
            case "/":
                pass
            case _:
                return Reply.json(404, {})
        self.write_down()
        return Reply.json(200, self.state())

    def _lose(self, tries: int) -> None:
        self.online = False
        about = {"obj": "csess", "id": self.session_id}
        self.log.line("eror", "session closed, starting reconnect loop", **about, err="session closed")
        for _ in range(tries):
            self.log.line("eror", "failed to reconnect session", **about, err=DIAL_ERRORS[0][1])

    def _return(self, *, new_url: bool) -> None:
        self.online = True
        self.log.line("info", "client session established", obj="csess", id=self.session_id)
        for endpoint in self.endpoints.values() if new_url else ():
            endpoint.move()
            # Old agents do not notice: the 3.0.4 goes on to say the address of its first session.
            if self.version >= ENDPOINTS_SINCE:
                endpoint.known_url = endpoint.public_url
                self._say_started(endpoint)


def _error(code: int | None, status: int, message: str, **details: str) -> Reply:
    about = {} if code is None else {"error_code": code}
    return Reply.json(status, about | {"status_code": status, "msg": message, "details": details})


def main() -> int:
    # Blocked before any thread is there, so that only the main thread takes them, when it waits for them.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS | {signal.SIGPIPE})
    return Agent(sys.argv[1:]).run()
