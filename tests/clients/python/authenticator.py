"""An authenticator app (RFC 6238): SHA-1, 6 digits, 30 seconds."""

import base64
import hashlib
import hmac
import time
from urllib.parse import parse_qs, urlsplit

STEP_SECONDS = 30

# How long a code may be on its way to the server before the time step changes.
MARGIN_SECONDS = 4


class Authenticator:
    """An app that was shown a URI."""

    def __init__(self, totp_uri):
        (secret,) = parse_qs(urlsplit(totp_uri).query)["secret"]
        self._key = base64.b32decode(secret + "=" * (-len(secret) % 8))
        self._last_step = -1

    @classmethod
    def of(cls, secret_base32):
        """An app whose secret was typed in."""
        return cls(f"otpauth://totp/typed-in?secret={secret_base32}")

    def next_code(self, waits=True):
        """A code that the server has not seen; without waiting, nothing if there is none now.

        The server takes each time step once and in order, and looks one step back and one ahead: so the codes of three
        steps are there at once, and only who wants more has to wait.
        """
        while True:
            now = time.time()
            # Near the end of a step, the one before it may be over when the code arrives.
            oldest = int((now + MARGIN_SECONDS) // STEP_SECONDS) - 1
            newest = int(now // STEP_SECONDS) + 1
            step = max(oldest, self._last_step + 1)
            if step <= newest:
                self._last_step = step
                return self._code(step)
            if not waits:
                return None
            time.sleep(max(0.01, (step - 1) * STEP_SECONDS - now))

    def _code(self, step):
        mac = hmac.digest(self._key, step.to_bytes(8, "big"), hashlib.sha1)
        offset = mac[19] & 0x0F
        number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
        return f"{number % 1_000_000:06}"
