"""Rounds of faults amid traffic, and what follows from them."""

import asyncio
import random
import time

import things
from changes import question
from faults import KINDS
from probes import BETWEEN_PROBES, Probe, Readiness, longest_gap
from recorder import ACCEPTED, UNKNOWN, Unprepared
from users import service_user

# Clients that present one thing at once.
AT_ONCE = 3
# Accounts of the probes: so many that those of one account do not pile up while there is no service.
PROBED_USERS = 24
# Seconds until all has to be well again.
UNTIL_WELL = 90
# Seconds without a leader from which on nodes must have said that they are not ready, and how soon; the probe's own time included.
OUTAGE = 5
NOT_READY_AFTER = 3
# How long a server may take writes before Patroni says that it leads.
BEFORE_PATRONI = 2


class Run:
    def __init__(self, cluster, recorder, makers):
        # What is made and presented in each round.
        self.cluster, self.recorder, self.makers = cluster, recorder, makers
        self.rounds = []
        # How many things were made ready, and what could not be.
        self.prepared = 0
        self.unprepared = []
        # By the name of what makes it.
        self.made = {maker.__name__: 0 for maker in makers}
        self.probes, self.readiness, self.probing = [], [], []
        self.well = asyncio.Event()
        self.leader = None

    async def start(self):
        users = [(await service_user(self.recorder)).id for _ in range(PROBED_USERS)]
        self.probes = [Probe(self.recorder, node, users) for node in self.recorder.nodes]
        self.readiness = [Readiness(self.recorder, node) for node in self.recorder.nodes]
        self.probing = [asyncio.create_task(one.run()) for one in self.probes + self.readiness]

    async def stop(self):
        for task in self.probing:
            task.cancel()
        for probe in self.probes:
            await asyncio.gather(*probe.asking)

    # A round.

    async def round(self, number, kind):
        recorder = self.recorder
        recorder.round = number
        began = recorder.now()
        stock = await self.prepare()
        self.leader = await self.cluster.leader()
        fault = KINDS[kind]()
        self.well.clear()
        self.playing = []
        random.shuffle(stock)
        # A quarter is presented before the fault, one at the same moment, one while it lasts, and one when things come back.
        quarter = max(1, len(stock) // 4)
        for thing in stock[:quarter]:
            self.start_presenting(thing)
            await asyncio.sleep(0.7 / quarter)
        for thing in stock[quarter : 2 * quarter]:
            self.start_presenting(thing)
        self.rest = stock[3 * quarter :]
        await asyncio.sleep(random.uniform(0, 0.08))
        struck = recorder.now()
        await fault.strike(self)
        watches = [asyncio.create_task(watch()) for watch in (self.watch_commits, self.watch_leader)]
        self.playing.append(asyncio.create_task(self.present_later(stock[2 * quarter : 3 * quarter])))
        try:
            await fault.heal(self)
            self.present_rest()
            await self.wait_until_well()
        finally:
            for watch in watches:
                watch.cancel()
        self.well.set()
        well = recorder.now()
        while self.playing:
            await self.playing.pop(0)
        without_commit = longest_gap([struck, *(moment for moment in self.commits if struck < moment < well), well])
        gaps = [probe.longest_gap(struck, well) for probe in self.probes]
        off_after = self.readiness_off(struck, well)
        await self.look_at([change for change in recorder.acknowledged if change[0] == number])
        self.rounds.append(
            {
                "round": number, "fault": kind, "things": len(stock), "seconds": round(recorder.now() - began, 2),
                "without_service": round(max(gaps), 2), "without_commit": round(without_commit, 2),
                "not_ready_after": off_after, "until_well": round(well - struck, 2),
            }
        )
        return self.rounds[-1]

    def readiness_off(self, struck, well):
        """Seconds from the last commit of a cluster that lost its leader until no node was ready, or nothing if it was short."""
        commits = [struck, *(moment for moment in self.commits if struck < moment < well), well]
        lost, back = max(zip(commits, commits[1:]), key=lambda pair: pair[1] - pair[0])
        if back - lost < OUTAGE:
            return None
        moments = [readiness.first(False, lost, back) for readiness in self.readiness]
        # There is a leader before a standby follows it and lets it commit, and a little before Patroni says so.
        leads = min((moment for moment in self.leads if moment > lost + NOT_READY_AFTER), default=back) - BEFORE_PATRONI
        if any(readiness.first(True, lost + NOT_READY_AFTER, leads) for readiness in self.readiness):
            self.recorder.wrong("a node was ready again without a leader")
        if None in moments:
            self.recorder.wrong(f"a node was ready all {back - lost:.1f} s without a leader")
            return None
        after = max(moments) - lost
        if after > NOT_READY_AFTER:
            self.recorder.wrong(f"a node was still ready {after:.1f} s after the leader was lost")
        return round(after, 2)

    async def prepare(self):
        """Things to present: made while all is well."""
        gate = asyncio.Semaphore(4)

        async def make(maker):
            async with gate:
                try:
                    thing = await maker(self.recorder)
                    self.made[maker.__name__] += 1
                    return thing
                except Unprepared as error:
                    self.unprepared.append(f"round {self.recorder.round}, {maker.__name__}: {error}")
                    return None

        made = await asyncio.gather(*(make(maker) for maker in self.makers))
        ready = [thing for thing in made if thing]
        self.prepared += len(ready)
        return ready

    def start_presenting(self, thing):
        self.playing.append(asyncio.create_task(self.present(thing)))

    async def present_later(self, stock):
        """One after the other while the fault lasts."""
        for thing in stock:
            try:
                await asyncio.wait_for(self.well.wait(), 1.5)
            except TimeoutError:
                pass
            self.start_presenting(thing)

    def present_rest(self):
        """Faults call it when something comes back: a frozen leader, another leader, a node."""
        while self.rest:
            self.start_presenting(self.rest.pop())

    async def wait_until_well(self):
        """Until there are a leader and two standbys, and both nodes serve."""
        end = time.monotonic() + UNTIL_WELL
        await self.cluster.well(UNTIL_WELL)
        while time.monotonic() < end:
            ready = await asyncio.gather(*(node.is_ready() for node in self.recorder.nodes))
            moment = self.recorder.now()
            if all(ready):
                await asyncio.sleep(2 * BETWEEN_PROBES)
                if all(probe.successes and probe.successes[-1] > moment for probe in self.probes):
                    return
            await asyncio.sleep(0.25)
        raise TimeoutError(f"the cluster is well, and nodes do not serve: ready {ready}, {await self.cluster.activity()}")

    async def watch_commits(self):
        """When the cluster itself committed something, without a server in between."""
        self.commits = []
        while True:
            try:
                await self.cluster.sql("INSERT INTO commits VALUES (now())", "postgres", timeout=3)
                self.commits.append(self.recorder.now())
            except (RuntimeError, TimeoutError):
                pass
            await asyncio.sleep(BETWEEN_PROBES)

    async def watch_leader(self):
        """When there was a leader."""
        self.leads = []
        while True:
            if await self.cluster.leader():
                self.leads.append(self.recorder.now())
            await asyncio.sleep(BETWEEN_PROBES)

    # Presentations.

    async def present(self, thing):
        if thing.model == "session":
            return await self.end_session(thing)
        await asyncio.gather(*(self.client(thing, index, "present") for index in range(AT_ONCE)))
        if thing.again_after:
            await asyncio.sleep(thing.again_after)
        for index in range(len(self.recorder.nodes)):
            await self.client(thing, index, "again")

    async def client(self, thing, index, operation):
        """Presents until there is an answer: another node is asked the next time, as behind a load balancer."""
        request = index % len(thing.requests)

        def judge(response):
            return thing.judge(response)

        response = await self.until_answered(thing, operation, index, thing.requests[request], judge, thing.window)
        if response is not None and thing.accepted and thing.judge(response)[0] == ACCEPTED:
            thing.accepted(request, response)

    async def until_answered(self, thing, operation, index, request, judge, window=None):
        nodes = self.recorder.nodes
        for attempt in range(6):
            node = nodes[(index + attempt) % len(nodes)]
            answer, response = await self.recorder.operation(thing, operation, node, request, judge, window)
            if answer != UNKNOWN:
                return response
            if attempt < 2:
                await asyncio.sleep(random.uniform(1, 2))
            else:
                await self.well.wait()
                await asyncio.sleep(1)
        self.recorder.wrong(f"{thing.name}: {operation} gets no answer although all is well again")
        return None

    async def end_session(self, thing):
        read, end = thing.requests

        def reading(index):
            return self.until_answered(thing, "read", index, read, things.read_session)

        await asyncio.gather(reading(0), reading(1))
        ended = self.until_answered(thing, "end", random.randrange(2), end, things.end_session)
        _, response, _ = await asyncio.gather(reading(0), ended, reading(1))
        await asyncio.gather(reading(0), reading(1))
        if response is not None and response.status == 200:
            self.recorder.acknowledge("ended", thing.extra["token"])

    # Acknowledged changes.

    async def look_at(self, changes):
        """Whether acknowledged changes are there."""
        gate = asyncio.Semaphore(4)

        async def look(change):
            async with gate:
                await self.look(change)

        await asyncio.gather(*(look(change) for change in changes))

    async def look(self, change):
        round_number, kind, *details = change
        method, path, body, headers, is_there = question(kind, details, self.recorder.key)
        for _ in range(10):
            response = await self.recorder.send(self.recorder.any_node(), method, path, body, headers)
            if response is not None and response.status not in (429, 503):
                break
            await asyncio.sleep(1)
        else:
            self.recorder.wrong(f"nobody says whether a change of round {round_number} is there: {kind}")
            return
        if not is_there(response):
            shown = details[0] if kind in ("user", "enrolled") else "…"
            self.recorder.wrong(f"acknowledged in round {round_number} and lost: {kind} {shown}: {response.status}")
