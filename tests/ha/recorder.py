"""Clients that write down what they ask and what they are answered."""

import asyncio
import json
import random
import time

from http_client import call
from nodes import REQUEST_TIMEOUT

# Seconds that a response may come late: this program is busy, too.
SLACK = 2.0
# Seconds after which a client goes away without a response.
PATIENCE = REQUEST_TIMEOUT + 5

ACCEPTED, REFUSED, UNKNOWN, NOTHING = "accepted", "refused", "unknown", "nothing"


class Unprepared(RuntimeError):
    """Something could not be made ready to be presented; nothing follows from that."""


class Recorder:
    """All requests go through it. What it holds is the history of the run."""

    def __init__(self, nodes, key, plant=None):
        self.nodes, self.key = nodes, key
        # What stands between clients and nodes, in runs that have to be found wrong.
        self.plant = plant
        self.began = time.monotonic()
        # Operations on one-time things, in the order in which they ended.
        self.operations = []
        # Changes that were acknowledged: a kind, and what is needed to look.
        self.acknowledged = []
        self.wrongs = []
        self.counts = {"requests": 0, "503": 0, "cut": 0}
        self.slowest = 0.0
        self.round = 0

    def now(self):
        return time.monotonic() - self.began

    def wrong(self, what):
        """Something that must not be."""
        self.wrongs.append({"round": self.round, "at": round(self.now(), 3), "what": what})

    async def send(self, node, method, path, body=None, headers=None):
        """The response, or nothing if there was none."""
        if self.plant:
            return await self.plant.send(self.send_straight, node, method, path, body, headers)
        return await self.send_straight(node, method, path, body, headers)

    async def send_straight(self, node, method, path, body=None, headers=None):
        self.counts["requests"] += 1
        began, killed, was_up = time.monotonic(), node.kills, node.is_up
        try:
            response = await call(node.port, method, path, body, headers, timeout=PATIENCE)
        except TimeoutError:
            self.wrong(f"no response in {PATIENCE} s: {method} {bare(path)}, node {node.name}")
            return None
        except OSError as error:
            self.counts["cut"] += 1
            if was_up and node.kills == killed:
                self.wrong(f"connection cut by a node that was not killed: {method} {bare(path)}, node {node.name}: {error}")
            return None
        took = time.monotonic() - began
        self.slowest = max(self.slowest, took)
        if took > REQUEST_TIMEOUT + SLACK:
            self.wrong(f"response after {took:.1f} s: {response.status} {method} {bare(path)}, node {node.name}")
        if response.status == 503:
            self.counts["503"] += 1
            if response.header("retry-after") is None:
                self.wrong(f"503 without Retry-After: {method} {bare(path)}, node {node.name}")
        elif response.status >= 500:
            self.wrong(f"{response.status} {method} {bare(path)}, node {node.name}: {response.body[:200]!r}")
        return response

    # What prepares.

    def any_node(self):
        return random.choice(self.nodes)

    async def ok(self, method, path, body=None, headers=None, node=None, expect=(200,)):
        """A response that has to be a success for what follows."""
        response = await self.send(node or self.any_node(), method, path, body, headers)
        if response is None or response.status not in expect:
            seen = f"{response.status} {response.body[:200]!r}" if response else "no response"
            raise Unprepared(f"{method} {bare(path)}: {seen}")
        return response

    async def better_auth(self, path, body, token=None, **more):
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return await self.ok("POST", f"/api/auth{path}", body, headers | more.pop("headers", {}), **more)

    async def service(self, method, path, body=None, **more):
        return await self.ok(method, f"/api{path}", body, {"authorization": self.key}, **more)

    async def sent_to(self, address, field):
        """The code or the link that was sent last to an address."""
        for _ in range(100):
            for node in self.nodes:
                for line in reversed(node.messages()):
                    if address.encode() not in line:
                        continue
                    message = json.loads(line)
                    if message["to"] == address and field in message:
                        return message[field]
            await asyncio.sleep(0.1)
        raise Unprepared(f"no {field} was sent")

    # What is written down.

    async def operation(self, thing, name, node, request, judge, window=None):
        """Asks once, and adds to the history. The answer, and the response."""
        sent = self.now()
        response = await self.send(node, *request)
        answered = self.now()
        answer, value = UNKNOWN, None
        if response is not None and response.status < 500:
            answer, value = judge(response)
        if answer == REFUSED and window and time.time() > window:
            # It is too old by now.
            answer = NOTHING
        self.operations.append(
            {
                "round": self.round, "thing": thing.name, "model": thing.model, "op": name, "node": node.name, "invoked": sent,
                "returned": answered, "answer": answer, "value": value, "status": response.status if response else None,
                "code": words(response),
            }
        )
        return answer, response

    def acknowledge(self, kind, *details):
        self.acknowledged.append((self.round, kind, *details))


def words(response):
    """The code of an error, for the report."""
    if response is None or response.status < 300:
        return None
    body = response.json()
    general = body.get("generalErrors")
    return body.get("code") or (general[0].get("code") if general else None)


def bare(path):
    """A path without what is secret or long in it."""
    return "/".join(part if len(part) < 30 else "…" for part in path.split("?")[0].split("/"))
