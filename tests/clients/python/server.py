"""A server of one's own: the real binary, with its own port, its own data directory and its own database.

It is on SQLite, or on PostgreSQL if `CLIENT_TESTS_DATABASE` is `postgresql` (tests/clients/support/with-postgres.mjs).
"""

import json
import os
import secrets
import selectors
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

REPOSITORY = Path(__file__).resolve().parents[3]

# A debug build on a busy machine takes its time.
START_LIMIT_SECONDS = 30

# Longer than the server's own grace period, so that it is the server that ends the waiting.
STOP_LIMIT_SECONDS = 15


class Server:
    """Runs while the context does."""

    def __init__(self, data_directory, settings=None, host_name="127.0.0.1"):
        """Keeps everything in `data_directory`.

        `settings` are more of them, by the name of the variable; `host_name` is that of this machine in the base URL.
        """
        self._directory = data_directory
        self._host_name = host_name
        self._database = TestDatabase()
        self._more_settings = self._database.settings | (settings or {})
        self._outbox = data_directory / "outbox.ndjson"
        self._process = None
        self.origin = None

    @property
    def host(self):
        """What the generated client calls the host: the address of the API."""
        return f"{self.origin}/api/auth"

    def api_key(self, *options):
        """A new key for a service, made beside the running server with these options."""
        environment = inherited() | self._more_settings
        environment["COUNTERSIGN_DATA_DIR"] = os.fspath(self._directory / "data")
        done = subprocess.run(
            [binary(), "api-key", "create", *options], cwd=self._directory, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.splitlines()[-1]

    def mailed_code(self, address):
        """The code in the newest message to `address`."""
        messages = [json.loads(line) for line in self._outbox.read_text().splitlines()]
        return [message["code"] for message in messages if message["to"] == address][-1]

    def mailed_link(self, address, count=1):
        """The newest link in the messages to `address`, of at least `count`. It may be mailed after the response."""
        for _ in range(100):
            lines = self._outbox.read_text().splitlines() if self._outbox.exists() else []
            messages = [json.loads(line) for line in lines]
            links = [message["link"] for message in messages if message["to"] == address and "link" in message]
            if len(links) >= count:
                return links[-1]
            time.sleep(0.05)
        raise AssertionError(f"fewer than {count} links were mailed to {address}")

    def __enter__(self):
        # The base URL has to name the port, so the port is chosen first; somebody else may take it in between.
        for is_last in (False, False, False, False, True):
            log = self._launch(free_port())
            if log is None:
                return self
            if is_last or "listening on" not in log:
                raise RuntimeError(f"the server did not start:\n{log}")

    def __exit__(self, *_):
        try:
            self._stop()
        finally:
            self._database.remove()

    def _stop(self):
        ended_before = self._process.poll()
        self._process.terminate()
        try:
            status = self._process.wait(STOP_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._process.stdout.close()
        assert ended_before is None, f"the server ended by itself: {ended_before}\n{self._log()}"
        assert status == 0, f"the server did not stop in order: {status}\n{self._log()}"
        assert "response breaks the contract" not in self._log(), self._log()

    def _launch(self, port):
        """Starts a server at `port`; returns nothing when it listens, and else its log."""
        self.origin = f"http://{self._host_name}:{port}"
        # In a directory of its own there is no ./countersign.toml.
        settings = {
            "COUNTERSIGN_LISTEN": f"127.0.0.1:{port}",
            "COUNTERSIGN_BASE_URL": self.origin,
            "COUNTERSIGN_DATA_DIR": os.fspath(self._directory / "data"),
            "COUNTERSIGN_OUTBOX": os.fspath(self._outbox),
            "COUNTERSIGN_RATE_LIMITS": "off",
            "COUNTERSIGN_VALIDATE_RESPONSES": "on",
            "COUNTERSIGN_LOG": "warning",
            **self._more_settings,
        }
        with open(self._directory / "log", "wb") as log:
            self._process = subprocess.Popen(
                [binary()], cwd=self._directory, env=inherited() | settings, stdout=subprocess.PIPE, stderr=log
            )
        if self._first_screen_shows():
            return None
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        return self._log()

    def _first_screen_shows(self):
        screen = b""
        deadline = time.monotonic() + START_LIMIT_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b" is listening on " not in screen:
                if not selector.select(max(0, deadline - time.monotonic())):
                    return False
                chunk = os.read(self._process.stdout.fileno(), 4096)
                if not chunk:
                    return False
                screen += chunk
        return True

    def _log(self):
        return (self._directory / "log").read_text()


class TestDatabase:
    """The database of a server: settings that name it, of which SQLite in the data directory needs none."""

    def __init__(self):
        kind = os.environ.get("CLIENT_TESTS_DATABASE", "sqlite")
        assert kind in ("sqlite", "postgresql"), f"CLIENT_TESTS_DATABASE is sqlite or postgresql, not {kind}"
        self._name = f"countersign_clients_{os.getpid()}_{secrets.token_hex(4)}" if kind == "postgresql" else None
        self.settings = {}
        if self._name:
            self._execute(f"CREATE DATABASE {self._name} TEMPLATE template0")
            url = urlsplit(os.environ["COUNTERSIGN_TEST_POSTGRES"])
            self.settings["COUNTERSIGN_DATABASE_URL"] = urlunsplit(url._replace(path=f"/{self._name}"))

    def remove(self):
        if self._name:
            self._execute(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")

    def _execute(self, statement):
        server = os.environ.get("COUNTERSIGN_TEST_POSTGRES")
        assert server, "no PostgreSQL: set COUNTERSIGN_TEST_POSTGRES, or run this with support/with-postgres.mjs"
        options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={server}", f"--command={statement}"]
        subprocess.run(["psql", *options], check=True, capture_output=True)


def inherited():
    """The environment, without settings of the person who runs the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COUNTERSIGN_")}


def binary():
    """The server to test: COUNTERSIGN_BINARY, else what cargo built."""
    given = os.environ.get("COUNTERSIGN_BINARY")
    built = [REPOSITORY / "target" / profile / "countersign" for profile in ("debug", "release")]
    candidates = [Path(given).resolve()] if given else built
    for candidate in candidates:
        if candidate.exists():
            return candidate
    names = " or ".join(map(str, candidates))
    raise FileNotFoundError(f"no server binary at {names}: run cargo build, or set COUNTERSIGN_BINARY")


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
