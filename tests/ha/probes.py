"""What is asked of nodes all the time, to know when they serve and what they say of themselves."""

import asyncio
import itertools

# Seconds between probes of a node.
BETWEEN_PROBES = 0.25


def longest_gap(moments):
    """Seconds between two moments that follow one another, at most."""
    return max((after - moment for moment, after in zip(moments, moments[1:])), default=0.0)


class Probe:
    """Asks a node for something that commits, again and again: when does it serve?"""

    def __init__(self, recorder, node, users):
        # In turn, because requests about one account wait for each other.
        self.recorder, self.node, self.users = recorder, node, itertools.cycle(users)
        # When successful responses came.
        self.successes = []
        self.asking = set()

    async def run(self):
        while True:
            task = asyncio.create_task(self.ask())
            self.asking.add(task)
            task.add_done_callback(self.asking.discard)
            await asyncio.sleep(BETWEEN_PROBES)

    async def ask(self):
        headers = {"authorization": self.recorder.key}
        response = await self.recorder.send(self.node, "POST", "/api/two-factor/start", {"userId": next(self.users)}, headers)
        if response is not None and response.status == 200:
            self.successes.append(self.recorder.now())

    def longest_gap(self, begin, end):
        """The longest time without a success, of those that reach into this one."""
        before = max((moment for moment in self.successes if moment <= begin), default=begin)
        return longest_gap([before, *sorted(moment for moment in self.successes if begin < moment <= end), end])


class Readiness:
    """What `/readyz` of a node says, again and again."""

    def __init__(self, recorder, node):
        self.recorder, self.node = recorder, node
        # Moments, and whether it was ready then: it was when it was asked, and was not when it said so.
        self.seen = []

    async def run(self):
        while True:
            sent = self.recorder.now()
            is_ready = await self.node.is_ready()
            self.seen.append((sent if is_ready else self.recorder.now(), is_ready))
            await asyncio.sleep(0.2)

    def first(self, is_ready, begin, end):
        """When it first was so in a time, or nothing."""
        return next((moment for moment, seen in self.seen if begin <= moment <= end and seen == is_ready), None)
