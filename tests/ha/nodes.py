"""Two nodes of the server, each with wires of its own to the three databases."""

import asyncio
import os
import random
import signal
import subprocess

from cluster import DATABASE, free_ports
from http_client import call

# Seconds: the longest time for a request. Shorter than by default, so that a round shows that it holds.
REQUEST_TIMEOUT = 10
# What clients see, as they are told; a page of it may send cookies.
BASE_URL = "http://localhost:3000"
PARAMETERS = "target_session_attrs=read-write"


class Wire:
    """A TCP proxy between one node and one database, which can be cut, and which can lose what a commit is answered."""

    def __init__(self, port):
        self.port, self.target = port, None
        self.open = set()
        self.is_cut = False
        # Of so many commits in one the response is lost, and the connection with it.
        self.loses_commits = 0.0
        self.lost_commits = 0

    async def start(self, target):
        self.target = target
        self.server = await asyncio.start_server(self.accept, "127.0.0.1", self.port)

    async def accept(self, reader, writer):
        if self.is_cut:
            writer.transport.abort()
            return
        try:
            there = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        connection = Connection(self, writer, there[1])
        self.open.add(connection)
        await asyncio.gather(connection.pump_requests(reader), connection.pump_responses(there[0]))
        self.open.discard(connection)

    def cut(self):
        """Resets what is open, and everything that comes until `mend`."""
        self.is_cut = True
        for connection in list(self.open):
            connection.abort()

    def mend(self):
        self.is_cut, self.loses_commits = False, 0.0


class Connection:
    """One that goes through a wire."""

    def __init__(self, wire, node, database):
        self.wire, self.node, self.database = wire, node, database
        self.is_lost = False

    def abort(self):
        for writer in (self.node, self.database):
            writer.transport.abort()

    async def pump_requests(self, reader):
        async for data in pieces(reader):
            # Statements are text on the wire, which is not encrypted here.
            if b"COMMIT" in data and random.random() < self.wire.loses_commits:
                self.is_lost = True
                self.wire.lost_commits += 1
                asyncio.get_running_loop().call_later(0.1, self.abort)
            await pass_on(data, self.database)
        self.database.close()

    async def pump_responses(self, reader):
        async for data in pieces(reader):
            if not self.is_lost:
                await pass_on(data, self.node)
        self.node.close()


async def pieces(reader):
    """What comes, until the connection ends in whatever way."""
    try:
        while data := await reader.read(65536):
            yield data
    except OSError:
        return


async def pass_on(data, writer):
    try:
        writer.write(data)
        await writer.drain()
    except OSError:
        # The other direction ends, too.
        writer.transport.abort()


class Node:
    """A process of the server."""

    def __init__(self, name, binary, folder, cluster, wire_ports, port, operations, keys):
        self.name, self.binary, self.folder, self.port, self.operations = name, binary, folder, port, operations
        self.cluster, self.keys = cluster, keys
        self.wires = [Wire(port) for port in wire_ports]
        self.process = None
        # How often this run killed it: what is cut then is no fault of its own.
        self.kills = 0
        self.is_up = False

    def environment(self):
        hosts = ",".join(f"127.0.0.1:{wire.port}" for wire in self.wires)
        return {
            "PATH": os.environ["PATH"],
            "COUNTERSIGN_LISTEN": f"127.0.0.1:{self.port}",
            "COUNTERSIGN_OPERATIONS_LISTEN": f"127.0.0.1:{self.operations}",
            "COUNTERSIGN_BASE_URL": BASE_URL,
            "COUNTERSIGN_DATA_DIR": str(self.folder / "data"),
            "COUNTERSIGN_DATABASE_URL": f"postgres://countersign:{self.cluster.password}@{hosts}/{DATABASE}?{PARAMETERS}",
            "COUNTERSIGN_KEYS": self.keys,
            "COUNTERSIGN_RATE_LIMITS": "off",
            "COUNTERSIGN_CODES_PER_HOUR": "10000",
            "COUNTERSIGN_REFRESH_TOKEN_USAGE": "OneTimeUse",
            "COUNTERSIGN_REQUEST_TIMEOUT": str(REQUEST_TIMEOUT),
            "COUNTERSIGN_BODY_TIMEOUT": "5",
            "COUNTERSIGN_LOG_SUCCESS_PERCENT": "0",
        }

    def start(self):
        with open(self.folder / "log", "ab") as log, open(self.folder / "screen", "ab") as screen:
            self.process = subprocess.Popen(
                [self.binary], stdin=subprocess.DEVNULL, stdout=screen, stderr=log, cwd=self.folder, env=self.environment()
            )

    async def is_ready(self):
        try:
            return (await call(self.operations, "GET", "/readyz", timeout=1.5)).status == 200
        except (OSError, TimeoutError):
            return False

    async def ready(self, seconds):
        """Waits until it is, and raises if it ended."""
        for _ in range(int(seconds * 5)):
            if self.process.poll() is not None:
                raise RuntimeError(f"the node at port {self.port} ended with status {self.process.returncode}")
            if await self.is_ready():
                self.is_up = True
                return
            await asyncio.sleep(0.2)
        raise TimeoutError(f"the node at port {self.port} is not ready after {seconds} s")

    def kill(self):
        self.kills, self.is_up = self.kills + 1, False
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()

    def messages(self):
        """What it sent, the oldest first, as lines of JSON."""
        try:
            return (self.folder / "data/outbox.ndjson").read_bytes().splitlines()
        except OSError:
            return []


async def start_nodes(binary, folder, cluster, count=2):
    """The nodes, one after the other, because the first makes the tables."""
    keys = subprocess.run([binary, "generate-keyring"], capture_output=True, text=True, check=True).stdout
    nodes = []
    for index in range(count):
        place = folder / f"node{index + 1}"
        place.mkdir()
        ports = free_ports(5)
        node = Node(place.name, binary, place, cluster, ports[:3], ports[3], ports[4], keys)
        for wire, member in zip(node.wires, cluster.members):
            await wire.start(member.port)
        nodes.append(node)
    for node in nodes:
        node.start()
        await node.ready(60)
    return nodes
