#!/usr/bin/env python3
"""Records a released version for the tests of upgrades: its tables, and the statements that it runs.

    git archive v0.1.0 | tar x -C /tmp/released && (cd /tmp/released && cargo build -p countersign)
    python3 tests/released/record.py /tmp/released/target/debug/countersign tests/released/0.1.0

Needs the programs of PostgreSQL 15 or newer (`PG_BIN`, by default Debian's). It starts the released program on a temporary
cluster that logs each statement with its parameters, takes two users through what users do, and writes to the directory:

* `postgres.sql`, `sqlite.sql`: the tables, as the released program's `migrate` makes them.
* `transactions.ndjson`: the transactions of the journey, in order: statements with their parameters as PostgreSQL writes them.
* `held.json`: what a client holds at the end, the keyring, and the time of the recording.

All secrets are those of a database that is gone.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

PG_BIN = Path(os.environ.get("PG_BIN", "/usr/lib/postgresql/15/bin"))
APPLICATION = "c0de0000-0000-4000-8000-000000000002"
PASSWORD = "correct horse battery staple"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def as_postgres(*arguments):
    """PostgreSQL refuses to run as root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, cwd="/")


class Cluster:
    def __init__(self, directory):
        self.data, self.port = directory / "cluster", free_port()
        as_postgres(PG_BIN / "initdb", "-D", self.data, "-U", "countersign", "--auth=trust", "-E", "UTF8", "--locale=C")
        settings = (
            f"-p {self.port} -k {directory} -c listen_addresses=127.0.0.1 -c logging_collector=on "
            "-c log_destination=jsonlog -c log_filename=log -c log_statement=all -c log_parameter_max_length=-1"
        )
        as_postgres(PG_BIN / "pg_ctl", "-D", self.data, "-w", "-l", directory / "start.log", "-o", settings, "start")
        self.url = f"postgres://countersign@127.0.0.1:{self.port}/postgres"

    def statements(self):
        text = (self.data / "log" / "log.json").read_text()
        return [json.loads(line) for line in text.splitlines()]

    def stop(self):
        as_postgres(PG_BIN / "pg_ctl", "-D", self.data, "-m", "immediate", "stop")


class Client:
    """A browser, or a service if it has a key."""

    def __init__(self, origin, key=None):
        self.origin, self.key, self.cookies = origin, key, {}

    def call(self, method, path, body=None, expected=(200,), token=None):
        request = urllib.request.Request(self.origin + path, method=method)
        request.add_header("Origin", self.origin)
        if self.cookies:
            request.add_header("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if token or self.key:
            request.add_header("Authorization", f"Bearer {token}" if token else self.key)
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            response = urllib.request.urlopen(request, data)
        except urllib.error.HTTPError as error:
            response = error
        text = response.read()
        for line in response.headers.get_all("Set-Cookie") or []:
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        assert response.status in expected, f"{method} {path}: {response.status} {text}"
        return json.loads(text) if text else None

    def post(self, path, body, **more):
        return self.call("POST", path, body, **more)


def totp(secret, step):
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.digest(key, step.to_bytes(8, "big"), hashlib.sha1)
    at = mac[19] & 15
    return f"{(int.from_bytes(mac[at:at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def journey(origin, outbox, key):
    """What users of both dialects do. Returns what they hold at the end."""
    now = int(time.time()) // 30
    api = "/api/auth"
    browser = Client(origin)
    body = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}
    account_id = browser.post(f"{api}/sign-up/email", body)["user"]["id"]
    enrolled = browser.post(f"{api}/two-factor/enable", {"password": PASSWORD})
    secret = urllib.parse.parse_qs(urllib.parse.urlsplit(enrolled["totpURI"]).query)["secret"][0]
    browser.post(f"{api}/two-factor/verify-totp", {"code": totp(secret, now - 1)})
    browser.call("GET", f"{api}/get-session")

    def challenged():
        other = Client(origin)
        other.post(f"{api}/sign-in/email", {"email": "ada@example.com", "password": PASSWORD})
        return other

    trusted = challenged()
    trusted.post(f"{api}/two-factor/verify-totp", {"code": totp(secret, now), "trustDevice": True})
    trusted.post(f"{api}/sign-out", {})
    trusted.post(f"{api}/sign-in/email", {"email": "ada@example.com", "password": PASSWORD})
    mailed = challenged()
    mailed.post(f"{api}/two-factor/send-otp", {})
    codes = [json.loads(line)["code"] for line in outbox.read_text().splitlines()]
    mailed.post(f"{api}/two-factor/verify-otp", {"code": "000000"}, expected=(400, 401))
    mailed.post(f"{api}/two-factor/verify-otp", {"code": codes[-1]})
    Client(origin).post(f"{api}/sign-in/email", {"email": "ada@example.com", "password": "wrong password"}, expected=(401,))
    backup = challenged()
    used = enrolled["backupCodes"][0]
    session = backup.post(f"{api}/two-factor/verify-backup-code", {"code": used})["token"]
    backup.call("GET", f"{api}/list-sessions")

    service = Client(origin, key)
    bob = service.post("/api/user", {"user": {"email": "bob@example.com", "username": "bob", "password": PASSWORD}})["user"]["id"]
    registration = {"registration": {"applicationId": APPLICATION}}
    service.post(f"/api/user/registration/{bob}", registration)
    log_in = {"loginId": "bob", "password": PASSWORD, "applicationId": APPLICATION}
    granted = service.post("/api/login", log_in)
    refreshed = service.post("/api/jwt/refresh", {"refreshToken": granted["refreshToken"]})
    service.call("GET", f"/api/user/{bob}")
    service.call("PATCH", f"/api/user/{bob}", {"user": {"fullName": "Bob"}})
    ticket = service.post("/api/user/change-password", {"loginId": "bob@example.com", "currentPassword": PASSWORD, "password": PASSWORD + "2"})
    del ticket
    carol = service.post("/api/user", {"user": {"email": "carol@example.com", "password": PASSWORD}})["user"]["id"]
    service.call("DELETE", f"/api/user/{carol}?hardDelete=true")
    later = service.post("/api/login", {**log_in, "password": PASSWORD + "2"})

    other = Client(origin)
    other.post(f"{api}/sign-up/email", {"name": "Dora", "email": "dora@example.com", "password": PASSWORD})
    other.post(f"{api}/change-password", {"currentPassword": PASSWORD, "newPassword": PASSWORD + "3", "revokeOtherSessions": True})
    other.post(f"{api}/sign-out", {})
    return {
        "password": PASSWORD,
        "account_id": account_id,
        "session": session,
        "totp_secret": secret,
        "backup_code": enrolled["backupCodes"][1],
        "application": APPLICATION,
        "refresh_token": later["refreshToken"],
        "last_step": now,
    }


def read_parameters(detail):
    """`parameters: $1 = 'a', $2 = NULL` as a list; PostgreSQL doubles apostrophes."""
    found = re.findall(r"\$(\d+) = (NULL|'(?:[^']|'')*')", detail.removeprefix("Parameters: ").removeprefix("parameters: "))
    return [None if value == "NULL" else value[1:-1].replace("''", "'") for _, value in found]


def main(program, target):
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o777)
        cluster = Cluster(directory)
        try:
            record(program, target, directory, cluster)
        finally:
            cluster.stop()


def record(program, target, directory, cluster):
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "COUNTERSIGN_LISTEN": f"127.0.0.1:{port}",
        "COUNTERSIGN_BASE_URL": origin,
        "COUNTERSIGN_DATA_DIR": str(directory / "data"),
        "COUNTERSIGN_OUTBOX": str(directory / "outbox"),
        "COUNTERSIGN_RATE_LIMITS": "off",
    }
    in_file = {**environment, "COUNTERSIGN_DATA_DIR": str(directory / "file")}
    subprocess.run([program, "migrate"], env=in_file, cwd=directory, check=True, stdout=subprocess.DEVNULL)
    with sqlite3.connect(directory / "file" / "countersign.db") as database:
        query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC, name"
        tables = [f"{sql};\n" for (sql,) in database.execute(query)]
        versions = [version for (version,) in database.execute("SELECT version FROM __diesel_schema_migrations ORDER BY version")]
    applied = "".join(f"INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}');\n" for version in versions)
    (target / "sqlite.sql").write_text("".join(tables) + applied)

    environment["COUNTERSIGN_DATABASE_URL"] = cluster.url
    subprocess.run([program, "migrate"], env=environment, cwd=directory, check=True, stdout=subprocess.DEVNULL)
    dump = [PG_BIN / "pg_dump", "--schema-only", "--no-owner", "--no-privileges", cluster.url]
    text = subprocess.run(dump, check=True, capture_output=True, text=True).stdout
    lines = [line for line in text.splitlines() if line and not line.startswith(("--", "SET ", "SELECT ", "\\"))]
    (target / "postgres.sql").write_text("\n".join(lines) + "\n" + applied.replace("__diesel", "public.__diesel"))

    server = subprocess.Popen([program], env=environment, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        while b"Ctrl-C" not in server.stdout.readline():
            assert server.poll() is None, "the released program ended"
        created = subprocess.run([program, "api-key", "create"], env=environment, cwd=directory, check=True, capture_output=True, text=True)
        key = created.stdout.splitlines()[-1]
        before, recorded_at = len(cluster.statements()), int(time.time() * 1000)
        held = journey(origin, directory / "outbox", key)
    finally:
        server.terminate()
        server.wait()
    held = {"recorded_at": recorded_at, "service_key": key, **held, "keyring": (directory / "data" / "keyring").read_text()}
    (target / "held.json").write_text(json.dumps(held, indent=2) + "\n")
    # The key of the service, which was made before the journey, is a part of it.
    entries = cluster.statements()
    made = [entry for entry in entries if 'INSERT INTO "api_keys"' in entry["message"]]
    with (target / "transactions.ndjson").open("w") as output:
        for transaction in transactions(made + entries[before:]):
            output.write(json.dumps(transaction, ensure_ascii=False) + "\n")


def transactions(entries):
    """Lists of statements; those of one transaction are together, whatever other sessions did meanwhile."""
    is_open = {}
    for entry in entries:
        kind, _, sql = entry["message"].partition(": ")
        sql, session = " ".join(sql.split()), entry["session_id"]
        if entry["error_severity"] != "LOG" or sql.startswith(("SET ", "SELECT set_config")) or "pg_type" in sql:
            continue
        if sql.startswith("BEGIN"):
            is_open[session] = []
        elif sql in ("COMMIT", "ROLLBACK"):
            statements = is_open.pop(session)
            if sql == "COMMIT" and statements:
                yield statements
        elif kind.startswith("execute"):
            statement = {"sql": sql, "parameters": read_parameters(entry.get("detail", ""))}
            if session in is_open:
                is_open[session].append(statement)
            else:
                yield [statement]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
