"""What stands between clients and the right server, and makes a wrong one of it: the recorder and the checker have to find each."""

import json
import random

import things
from http_client import Response

ENDS_SESSION = "/api/auth/sign-out"
READS_SESSION = "/api/auth/get-session"
# What sets a password, once.
SETS_PASSWORD = ("/api/auth/reset-password", "/api/user/change-password/")


class Unguarded:
    """A claim without its guard: who presents the same thing at the same time, or later, is let through as the first was."""

    name = "a claim without its guard"
    expected = "it was accepted more than once"
    makers = [things.mailed_code_in_browser, things.code_by_service, things.passwordless_code]
    presented = ("/two-factor/verify-otp", "/api/two-factor/login", "/api/passwordless/login")

    def __init__(self):
        self.accepted = {}

    async def send(self, forward, node, method, path, body, headers):
        is_presentation = path.endswith(self.presented)
        request = path, json.dumps(body), json.dumps(headers)
        if is_presentation and request in self.accepted:
            return self.accepted[request]
        response = await forward(node, method, path, body, headers)
        if is_presentation and response is not None and response.status == 200:
            self.accepted[request] = response
        return response


class AcknowledgedBeforeCommit:
    """An acknowledgement before the commit, which then does not come: half of the passwords that are set."""

    name = "an acknowledgement before the commit"
    expected = "it was accepted more than once"
    makers = [things.reset_token, things.forgotten_password_id] * 4

    async def send(self, forward, node, method, path, body, headers):
        if method == "POST" and path.startswith(SETS_PASSWORD) and random.random() < 0.5:
            return Response(200, [], b'{"status": true}')
        return await forward(node, method, path, body, headers)


class Cached:
    """Nodes that remember sessions: each forgets those that are ended through itself, and hears nothing of the others."""

    name = "a cache that outlives a failover"
    expected = "it was read after it had ended, or ended by itself"
    makers = [things.ended_session] * 3

    def __init__(self):
        self.sessions = {}

    async def send(self, forward, node, method, path, body, headers):
        session = node.name, (headers or {}).get("authorization")
        if path == READS_SESSION and session in self.sessions:
            return self.sessions[session]
        response = await forward(node, method, path, body, headers)
        if path == READS_SESSION and response is not None and response.status == 200:
            self.sessions[session] = response
        if path == ENDS_SESSION:
            self.sessions.pop(session, None)
        return response


PLANTS = [Unguarded, AcknowledgedBeforeCommit, Cached]
