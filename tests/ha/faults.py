"""What goes wrong in a round. Each fault is done to a run, and then undone."""

import asyncio
import contextlib
import errno
import signal

import processes
from cluster import RETRY_TIMEOUT, TTL
from http_client import call


class Fault:
    name = None
    # What Patroni's settings allow at best: seconds from the fault to a leader, and why.
    at_best = None

    async def strike(self, run):
        raise NotImplementedError

    async def heal(self, run):
        pass


async def another_leader(run, former, seconds):
    """Waits until another member leads."""
    for _ in range(seconds * 4):
        leader = await run.cluster.leader()
        if leader and leader is not former:
            return leader
        await asyncio.sleep(0.25)
    raise TimeoutError(f"no other leader than {former.name} after {seconds} s")


class LeaderKilled(Fault):
    name = "leader's machine lost (kill -9 of PostgreSQL and Patroni)"
    at_best = f"{TTL} s: its key has to end"

    async def strike(self, run):
        self.leader = run.leader
        processes.send(self.leader.all_processes(), signal.SIGKILL)
        self.leader.patroni.wait()

    async def heal(self, run):
        await another_leader(run, self.leader, 3 * TTL)
        run.present_rest()
        await asyncio.sleep(2)
        self.leader.start()


class PostgresKilled(Fault):
    name = "leader's PostgreSQL killed (kill -9, Patroni stays)"
    at_best = "2 s: Patroni's next look at it"

    async def strike(self, run):
        self.leader = run.leader
        pids = self.leader.postgres_processes()
        if not pids:
            raise RuntimeError(f"no process of the PostgreSQL of {self.leader.name} is found")
        processes.send(pids, signal.SIGKILL)

    async def heal(self, run):
        await another_leader(run, self.leader, 3 * TTL)


class Switchover(Fault):
    name = "switchover"
    at_best = "2 s: a checkpoint, and the next look of the candidate"

    async def strike(self, run):
        leader = run.leader
        candidate = next(
            member for member in await run.cluster.topology() if member["role"] == "sync_standby"
        )["name"]
        # What `patronictl switchover` asks for.
        body = {"leader": leader.name, "candidate": candidate}
        self.asked = asyncio.create_task(call(leader.rest, "POST", "/switchover", body, timeout=60))

    async def heal(self, run):
        response = await self.asked
        if response.status != 200:
            raise RuntimeError(f"switchover: {response.status} {response.body!r}")


class LeaderFrozen(Fault):
    name = "leader's machine frozen (SIGSTOP, then SIGCONT)"
    at_best = f"{TTL} s: its key has to end"

    async def strike(self, run):
        self.leader = run.leader
        self.pids = self.leader.all_processes()
        processes.send(self.pids, signal.SIGSTOP)

    async def heal(self, run):
        try:
            await another_leader(run, self.leader, 3 * TTL)
            await asyncio.sleep(3)
            # It goes on as a leader, until it looks at the time.
            run.present_rest()
        finally:
            processes.send(self.pids, signal.SIGCONT)


class EtcdCut(Fault):
    name = "etcd gone for 15 s"
    at_best = "as long as etcd is gone: without it nobody may lead"

    async def strike(self, run):
        run.cluster.etcd.kill()
        run.cluster.etcd.wait()

    async def heal(self, run):
        # It still counts as the leader for as long as it may try to reach etcd, twice, and its loop.
        await asyncio.sleep(4 * RETRY_TIMEOUT + 3)
        leader = await run.cluster.leader()
        run.cluster.start_etcd()
        run.present_rest()
        if leader:
            run.recorder.wrong(f"{leader.name} still leads without etcd")


class WiresCut(Fault):
    name = "one node cut off from all databases for 4 s"
    at_best = "4 s"

    async def strike(self, run):
        self.node = run.recorder.any_node()
        for wire in self.node.wires:
            wire.cut()

    async def heal(self, run):
        await asyncio.sleep(4)
        for wire in self.node.wires:
            wire.mend()
        run.present_rest()


class CommitsLost(Fault):
    name = "half of the responses to one node's commits lost for 1 s"
    at_best = "0 s"

    async def strike(self, run):
        self.node = run.recorder.any_node()
        for wire in self.node.wires:
            wire.loses_commits, wire.lost_commits = 0.5, 0
        run.present_rest()

    async def heal(self, run):
        await asyncio.sleep(1)
        for wire in self.node.wires:
            wire.mend()
        if not any(wire.lost_commits for wire in self.node.wires):
            run.recorder.wrong(f"no response to a commit of {self.node.name} was lost")


class BackendsTerminated(Fault):
    name = "connections ended by the leader (pg_terminate_backend)"
    at_best = "0 s"

    async def strike(self, run):
        await run.cluster.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'countersign'")


class NodeKilled(Fault):
    name = "one node killed (kill -9), started again"
    at_best = "the start of a node"

    async def strike(self, run):
        self.node = run.recorder.any_node()
        self.node.kill()

    async def heal(self, run):
        await asyncio.sleep(0.5)
        self.node.start()
        run.present_rest()
        await self.node.ready(60)


class DiskFull(Fault):
    name = "disk of the leader's write-ahead log full"
    at_best = "2 s: PostgreSQL ends by itself, and Patroni's next look at it"

    async def strike(self, run):
        self.leader = run.leader
        self.filler = self.leader.disk / "filler"
        try:
            with open(self.filler, "wb", buffering=0) as file:
                while True:
                    file.write(bytes(1 << 20))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        self.using_up = asyncio.create_task(self.use_up(run))

    async def use_up(self, run):
        """Has the leader write more of its log than it has room for in the segments that it keeps to use again."""
        log = "SELECT pg_logical_emit_message(false, 'filler', repeat('x', 500000)) FROM generate_series(1, 400)"
        with contextlib.suppress(RuntimeError, TimeoutError):
            await run.cluster.sql(log, "postgres", self.leader)

    async def heal(self, run):
        try:
            await self.using_up
            await another_leader(run, self.leader, 3 * TTL)
            run.present_rest()
            await asyncio.sleep(2)
        finally:
            self.filler.unlink()


KINDS = {
    "kill": LeaderKilled,
    "crash": PostgresKilled,
    "switchover": Switchover,
    "freeze": LeaderFrozen,
    "etcd": EtcdCut,
    "cut": WiresCut,
    "lost": CommitsLost,
    "terminate": BackendsTerminated,
    "node": NodeKilled,
    "disk": DiskFull,
}
