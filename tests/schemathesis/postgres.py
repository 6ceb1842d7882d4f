"""A PostgreSQL for the run: the one that COUNTERSIGN_TEST_POSTGRES names, or a temporary cluster of this machine's own
programs. The same rules as those of the Rust tests (tests/postgres): what is asked for and not there is an error.
"""

import os
import pwd
import secrets
import shutil
import socket
import ssl
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

import pg8000.native

SETTINGS = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
fsync = off
full_page_writes = off
max_wal_size = 256MB
"""

# Ends the server when the other end of its standard input is gone, however that happened.
GUARD = """\
trap '' INT TERM HUP
cat >/dev/null
"$0" -D "$1/data" -m immediate stop >/dev/null 2>&1
cd /
rm -rf "$1"
"""


@contextmanager
def server():
    """The address of a PostgreSQL, as long as the context lasts."""
    given = os.environ.get("COUNTERSIGN_TEST_POSTGRES")
    if given:
        yield given
        return
    with temporary_cluster() as url:
        yield url


@contextmanager
def database(server_url):
    """The address of a new database, which is removed when the context ends."""
    name = f"countersign_schemathesis_{os.getpid()}_{secrets.token_hex(4)}"
    execute(server_url, f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        execute(server_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def execute(url, statement):
    parts = urlsplit(url)
    wants_tls = parse_qs(parts.query).get("sslmode", ["disable"])[0] not in ("disable", "allow", "prefer")
    connection = pg8000.native.Connection(
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        host=parts.hostname,
        port=parts.port or 5432,
        database=parts.path.lstrip("/") or "postgres",
        ssl_context=ssl.create_default_context() if wants_tls else None,
    )
    try:
        connection.run(statement)
    finally:
        connection.close()


@contextmanager
def temporary_cluster():
    binaries = find_binaries()
    password = secrets.token_hex(16)
    # Short, because a socket's path has to be; not under $TMPDIR, which may be closed to the other user.
    folder = Path(tempfile.mkdtemp(prefix="countersign-pg-", dir="/tmp"))
    owner = owner_of_clusters()
    run = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}
    if owner:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    guard = subprocess.Popen(
        ["/bin/sh", "-c", GUARD, binaries / "pg_ctl", folder], stdin=subprocess.PIPE, process_group=0, cwd=folder, **run
    )
    try:
        write(folder / "password", password, owner)
        call(
            [binaries / "initdb", "--no-sync", "--username=countersign", "--auth=scram-sha-256", "--encoding=UTF8"]
            + ["--pwfile=password", "--locale=C", "--pgdata=data"],
            cwd=folder,
            **run,
        )
        for is_last in (False, False, False, False, True):
            # A port that was free a moment ago may be taken by now.
            port = free_port()
            write(folder / "data/postgresql.auto.conf", SETTINGS.format(port=port, folder=folder), owner)
            started = subprocess.run(
                [binaries / "pg_ctl", "-D", "data", "-l", "log", "-w", "-t", "60", "start"],
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                **run,
            )
            if started.returncode == 0:
                break
            if is_last:
                raise RuntimeError(f"PostgreSQL does not start:\n{(folder / 'log').read_text()}")
        yield f"postgres://countersign:{password}@127.0.0.1:{port}/postgres"
    finally:
        guard.stdin.close()
        guard.wait()


def find_binaries():
    """The folder of initdb and pg_ctl: on the path, or the newest where Debian keeps them."""
    on_path = shutil.which("initdb")
    if on_path and shutil.which("pg_ctl"):
        return Path(on_path).resolve().parent
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb") if (path.parent / "pg_ctl").exists()]
    if not found:
        raise FileNotFoundError(
            "PostgreSQL's programs (initdb, pg_ctl) are not on this machine: install them, name a server in "
            "COUNTERSIGN_TEST_POSTGRES, or say --database sqlite"
        )
    return max(found, key=lambda path: int(path.parent.name) if path.parent.name.isdigit() else 0)


def owner_of_clusters():
    """Whose the cluster is when root runs the tests: PostgreSQL refuses to be root's."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def write(path, text, owner):
    path.write_text(text)
    path.chmod(0o600)
    if owner:
        os.chown(path, owner.pw_uid, owner.pw_gid)


def call(command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name} failed: {done.stderr}")


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
