"""What the people of a run stand on: the server's address, a key for services, and where mailed codes lie."""

import json
import os
import time
from pathlib import Path

import requests

PASSWORD = "correct horse battery staple"
WRONG_CODE = "000000"

# Enough for the newest messages: whoever asks for a code has just had it sent.
OUTBOX_TAIL_BYTES = 1 << 16


class Service:
    """Calls the server the way a well-behaved client does; what it calls is not counted as a case."""

    def __init__(self, origin, api_key, admin_key, outbox, round_number):
        self.origin = origin
        # Rounds share a database, so nobody may be there twice.
        self.round = int(round_number)
        self.api_key = api_key
        self.admin_key = admin_key
        self._outbox = Path(outbox)
        self._session = requests.Session()
        self._session.trust_env = False

    @classmethod
    def of_environment(cls):
        """The one that fuzz.py has told the hooks about."""
        names = ("FUZZ_ORIGIN", "FUZZ_API_KEY", "FUZZ_ADMIN_KEY", "FUZZ_OUTBOX", "FUZZ_ROUND")
        return cls(*(os.environ[name] for name in names))

    def call(self, method, path, body=None, credential=None, headers=None):
        """The response, whatever it is."""
        headers = dict(headers or {})
        if credential:
            headers["authorization"] = credential
        self._session.cookies.clear()
        response = self._session.request(method, self.origin + path, json=body, headers=headers, timeout=60)
        self._session.cookies.clear()
        return response

    def done(self, method, path, body=None, credential=None, headers=None):
        """A response that has to be a success."""
        response = self.call(method, path, body, credential, headers)
        if not 200 <= response.status_code < 300:
            raise RuntimeError(f"a person could not be made ready: {method} {path}: {response.status_code} {response.text}")
        return response

    def mailed_code(self, address):
        """The code in the newest message to `address` that has one, or nothing."""
        return next((message["code"] for message in self._messages_to(address) if message.get("code")), None)

    def mailed_link(self, address):
        """The newest link to `address`, or nothing. Links are delivered after the response."""
        for _ in range(20):
            link = next((message["link"] for message in self._messages_to(address) if message.get("link")), None)
            if link:
                return link
            time.sleep(0.05)
        return None

    def _messages_to(self, address):
        """The newest messages first."""
        with self._outbox.open("rb") as outbox:
            outbox.seek(0, os.SEEK_END)
            outbox.seek(max(0, outbox.tell() - OUTBOX_TAIL_BYTES))
            lines = outbox.read().splitlines()
        for line in reversed(lines):
            try:
                message = json.loads(line)
            except ValueError:
                continue  # The first line may have lost its beginning.
            if message["to"] == address:
                yield message


# Fewer than the ten wrong passwords or codes of an account, and than the five tries of a challenge.
USES_OF_PERSON = 8
USES_OF_CHALLENGE = 4


class Pool:
    """People by kind, each used for a few cases and then replaced: wrong codes and passwords are limited for each."""

    def __init__(self, make):
        self._make = make
        self._current = {}

    def take(self, kind):
        """Somebody of this kind who can still be used."""
        person = self._current.get(kind)
        if person is None or person.uses_left <= 0:
            person = self._current[kind] = self._make(kind)
        person.uses_left -= 1
        return person

    def current(self):
        """Everybody who is in use."""
        return self._current.values()

    def retire(self, person):
        """Somebody whose state the last case has changed."""
        person.uses_left = 0
