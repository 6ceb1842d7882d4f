"""A PostgreSQL cluster of Patroni, and its etcd: everything of its own, on loopback, below one directory."""

import asyncio
import contextlib
import functools
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path

import processes
from http_client import call

SCOPE = "countersign-ha"
DATABASE = "countersign"

# As short as Patroni takes them. A leader that is lost is noticed when its key ends (`ttl`), and the others look every
# `loop_wait` seconds; a leader that cannot reach etcd for `retry_timeout` seconds demotes itself.
TTL, LOOP_WAIT, RETRY_TIMEOUT = 20, 2, 3

# Of the disks that have the write-ahead log: some times what PostgreSQL keeps of it.
DISK_SIZE = "256M"

PATRONI = """\
scope: {scope}
name: {name}
restapi:
  listen: 127.0.0.1:{rest}
  connect_address: 127.0.0.1:{rest}
etcd:
  host: 127.0.0.1:{etcd}
bootstrap:
  dcs:
    ttl: {ttl}
    loop_wait: {loop_wait}
    retry_timeout: {retry_timeout}
    # A PostgreSQL that died alone is not started again in the place of a failover.
    primary_start_timeout: 0
    synchronous_mode: true
    synchronous_mode_strict: true
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters:
        max_connections: 60
        shared_buffers: 32MB
        wal_keep_size: 16MB
        min_wal_size: 8MB
        max_wal_size: 32MB
        wal_log_hints: "on"
        # A standby that lost its leader asks the next one after this time, and not after five seconds; until then, with
        # `synchronous_mode_strict`, nothing commits.
        wal_retrieve_retry_interval: 500ms
        log_min_messages: warning
  initdb: [encoding: UTF8, locale: C, auth-local: trust, auth-host: scram-sha-256, wal-segsize: "1", waldir: {folder}/disk/wal]
  pg_hba:
  - local all all trust
  - host all all 127.0.0.1/32 scram-sha-256
  - host replication all 127.0.0.1/32 scram-sha-256
postgresql:
  listen: 127.0.0.1:{port}
  connect_address: 127.0.0.1:{port}
  data_dir: {folder}/data
  bin_dir: {binaries}
  pgpass: {folder}/pgpass
  basebackup: [waldir: {folder}/disk/wal]
  remove_data_directory_on_rewind_failure: true
  remove_data_directory_on_diverged_timelines: true
  authentication:
    superuser: {{username: postgres, password: "{password}"}}
    replication: {{username: replicator, password: "{password}"}}
    rewind: {{username: rewinder, password: "{password}"}}
  parameters:
    unix_socket_directories: {folder}
"""


def find_binaries():
    """The directory of PostgreSQL's programs: the newest where Debian keeps them, else that of the path."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb") if path.parent.parent.name.isdigit()]
    if found:
        return max(found, key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    if not on_path:
        raise FileNotFoundError("PostgreSQL's programs are missing (on Debian: the package postgresql)")
    return Path(on_path).resolve().parent


def free_ports(count):
    """Ports that nobody listens on, all different, and none that outgoing connections are given meanwhile."""
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    if first < 20_000:
        raise RuntimeError(f"net.ipv4.ip_local_port_range begins at {first}: 20000 or more leaves ports for servers")
    probes = {}
    while len(probes) < count:
        port = 10_000 + secrets.randbelow(first - 10_000)
        with contextlib.suppress(OSError):
            probes[port] = socket.create_server(("127.0.0.1", port))
    for probe in probes.values():
        probe.close()
    return list(probes)


class Member:
    """A node of the cluster: a Patroni, and the PostgreSQL that it runs."""

    def __init__(self, cluster, name, rest, port):
        self.cluster, self.name, self.rest, self.port = cluster, name, rest, port
        self.folder = cluster.folder / name
        self.config = cluster.folder / f"{name}.yml"
        # Where the write-ahead log is; a small disk of its own where that can be had.
        self.disk = self.folder / "disk"
        self.has_own_disk = False
        self.patroni = None

    def prepare(self):
        self.cluster.make_folder(self.folder)
        self.cluster.make_folder(self.disk)
        self.has_own_disk = os.geteuid() == 0 and mount(self.disk, self.cluster.owner)
        self.cluster.write(
            self.config,
            PATRONI.format(
                scope=SCOPE, name=self.name, rest=self.rest, etcd=self.cluster.etcd_port, port=self.port, folder=self.folder,
                binaries=self.cluster.binaries, password=self.cluster.password, ttl=TTL, loop_wait=LOOP_WAIT,
                retry_timeout=RETRY_TIMEOUT,
            ),
        )

    def start(self):
        self.patroni = self.cluster.spawn(["/usr/bin/patroni", self.config], self.cluster.folder / f"{self.name}.log")

    def postmaster(self):
        """The process id of PostgreSQL, or nothing."""
        try:
            pid = int((self.folder / "data/postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None
        return pid if processes.runs_program(pid, "postgres") else None

    def postgres_processes(self):
        postmaster = self.postmaster()
        return [postmaster, *processes.descendants(postmaster)] if postmaster else []

    def all_processes(self):
        patroni = [self.patroni.pid] if self.patroni and self.patroni.poll() is None else []
        return patroni + self.postgres_processes()

    async def shows(self, path="/"):
        """The status of Patroni's health check, or 0 if there is no answer."""
        try:
            return (await call(self.rest, "GET", path, timeout=1.5)).status
        except (OSError, TimeoutError):
            return 0


def mount(place, owner):
    """Whether a disk in memory could be mounted there."""
    options = f"size={DISK_SIZE},mode=0700,uid={owner.pw_uid},gid={owner.pw_gid}"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], stderr=subprocess.DEVNULL)
    return done.returncode == 0


class Cluster:
    """Three members and an etcd."""

    def __init__(self, folder):
        self.owner = None
        if os.geteuid() == 0:
            self.owner = pwd.getpwnam("postgres")
        self.binaries = find_binaries()
        self.password = secrets.token_hex(16)
        self.folder = Path(folder)
        self.folder.mkdir()
        self.hand_over(self.folder)
        ports = free_ports(8)
        self.etcd_port, self.etcd_peer_port = ports[:2]
        self.members = [Member(self, f"pg{i + 1}", *ports[2 + 2 * i : 4 + 2 * i]) for i in range(3)]
        self.etcd = None

    # Files and processes of the user that PostgreSQL runs as: it refuses to be root's.

    def hand_over(self, path):
        if self.owner:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def make_folder(self, path):
        path.mkdir()
        path.chmod(0o700)
        self.hand_over(path)

    def write(self, path, text):
        path.write_text(text)
        path.chmod(0o600)
        self.hand_over(path)

    def identity(self):
        if not self.owner:
            return {}
        return {"user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": []}

    def spawn(self, command, log):
        with open(log, "ab") as output:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder, start_new_session=True,
                env={"PATH": f"{self.binaries}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(self.folder)}, **self.identity(),
            )

    def start_etcd(self):
        client, peer = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{self.etcd_peer_port}"
        self.etcd = self.spawn(
            ["/usr/bin/etcd", "--name=etcd", f"--data-dir={self.folder}/etcd", f"--listen-client-urls={client}",
             f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
             f"--initial-cluster=etcd={peer}", "--log-level=warn",
             # With etcd's API of version 3, Patroni before 3.0.3 gives the key of another leader to one that was frozen (its change 2689).
             "--enable-v2"],
            self.folder / "etcd.log",
        )

    async def start(self):
        self.start_etcd()
        for member in self.members:
            member.prepare()
            member.start()
        await self.well(120)
        await self.sql("CREATE ROLE countersign LOGIN PASSWORD '" + self.password + "'", "postgres")
        await self.sql(f"CREATE DATABASE {DATABASE} OWNER countersign", "postgres")
        await self.sql("CREATE TABLE commits (at timestamptz)", "postgres")

    # What it is like.

    async def leader(self):
        """The member that Patroni takes for the leader and that takes writes, or nothing."""

        async def asked(member):
            return member, await member.shows("/primary")

        for answer in asyncio.as_completed([asked(member) for member in self.members]):
            member, status = await answer
            if status == 200:
                return member
        return None

    async def topology(self):
        """Patroni's own list of members, as any member that answers has it."""
        for member in self.members:
            try:
                answer = await call(member.rest, "GET", "/cluster", timeout=1.5)
                if answer.status == 200:
                    return json.loads(answer.body)["members"]
            except (OSError, ValueError, KeyError, TimeoutError):
                continue
        return []

    async def is_well(self):
        """Whether there is one leader, and two members follow it, of which one is synchronous."""
        members = await self.topology()
        leaders = [member for member in members if member["role"] == "leader" and member["state"] == "running"]
        if len(members) != 3 or len(leaders) != 1 or any(member["state"] not in ("running", "streaming") for member in members):
            return False
        if len({member.get("timeline") for member in members}) != 1 or not await self.leader():
            return False
        return any(member["role"] == "sync_standby" for member in members)

    async def well(self, seconds):
        """Waits until all is well."""
        end = time.monotonic() + seconds
        while not await self.is_well():
            if time.monotonic() > end:
                raise TimeoutError(f"the cluster is not well after {seconds} s: {await self.topology()}")
            await asyncio.sleep(0.25)

    async def sql(self, statement, database=DATABASE, leader=None, timeout=30):
        """What a statement on the leader answers, as text."""
        leader = leader or await self.leader()
        if not leader:
            raise RuntimeError("there is no leader")
        command = [self.binaries / "psql", "-XAtqv", "ON_ERROR_STOP=1", "-h", leader.folder, "-p", str(leader.port)]
        command += ["-U", "postgres", "-d", database, "-c", statement]
        run = functools.partial(
            subprocess.run, command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, cwd=self.folder,
            **self.identity(),
        )
        try:
            done = await asyncio.to_thread(run)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"psql took more than {timeout} s") from error
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr}")
        return done.stdout.strip()

    async def activity(self):
        """What the connections of the server do, for a report."""
        columns = "pid, state, wait_event, now() - xact_start, now() - state_change, query"
        return await self.sql(f"SELECT {columns} FROM pg_stat_activity WHERE usename = 'countersign'")
