"""Users, and their challenges."""

import base64
import hashlib
import hmac
import re
import secrets
import struct
import time
import uuid
from dataclasses import dataclass

APPLICATION = "c0de0000-0000-4000-8000-000000000002"
PASSWORD = "correct horse battery staple"
STEP_SECONDS = 30


def totp(secret, step):
    """The code of a step (RFC 6238)."""
    digest = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def present_step():
    return int(time.time()) // STEP_SECONDS


def from_base32(text):
    return base64.b32decode(text + "=" * (-len(text) % 8))


def new_address():
    return f"{secrets.token_hex(8)}@example.com"


@dataclass
class User:
    id: str
    email: str
    password: str = PASSWORD
    session: str = None
    secret: bytes = None
    codes: list = None

    def code(self, steps):
        return totp(self.secret, present_step() + steps)


# Users.


async def service_user(recorder):
    """A user that a service created and registered."""
    email = new_address()
    made = await recorder.service("POST", "/user", {"user": {"email": email, "password": PASSWORD}})
    user = User(made.json()["user"]["id"], email)
    recorder.acknowledge("user", user.id)
    await recorder.service("POST", f"/user/registration/{user.id}", {"registration": {"applicationId": APPLICATION}})
    return user


async def browser_user(recorder):
    """A user who signed up."""
    email = new_address()
    body = {"name": "Ada", "email": email, "password": PASSWORD}
    made = (await recorder.better_auth("/sign-up/email", body)).json()
    user = User(str(uuid.UUID(made["user"]["id"])), email, session=made["token"])
    recorder.acknowledge("user", user.id)
    return user


async def enrolled_by_service(recorder):
    user = await service_user(recorder)
    shown = (await recorder.service("GET", "/two-factor/secret")).json()
    user.secret = from_base32(shown["secretBase32Encoded"])
    body = {"method": "authenticator", "secret": shown["secret"], "code": user.code(-1)}
    made = await recorder.service("POST", f"/user/two-factor/{user.id}", body)
    user.codes = made.json()["recoveryCodes"]
    recorder.acknowledge("enrolled", user.id)
    return user


def secret_of(begun):
    return from_base32(re.search(r"[?&]secret=([A-Z2-7]+)", begun["totpURI"]).group(1))


async def enrolled_in_browser(recorder):
    user = await browser_user(recorder)
    begun = (await recorder.better_auth("/two-factor/enable", {"password": PASSWORD}, user.session)).json()
    user.secret = secret_of(begun)
    user.codes = begun["backupCodes"]
    confirmed = await recorder.better_auth("/two-factor/verify-totp", {"code": user.code(-1)}, user.session)
    user.session = confirmed.json()["token"]
    recorder.acknowledge("enrolled", user.id)
    return user


# Challenges.


async def browser_challenge(recorder, user, node=None):
    body = {"email": user.email, "password": user.password}
    return (await recorder.better_auth("/sign-in/email", body, node=node)).json()["twoFactorToken"]


async def service_challenge(recorder, user):
    """A challenge, and the code that its service delivers."""
    begun = (await recorder.service("POST", "/two-factor/start", {"userId": user.id})).json()
    return begun["twoFactorId"], begun["code"]


def verify(factor, challenge, code):
    return "POST", f"/api/auth/two-factor/verify-{factor}", {"code": code}, {"authorization": f"Bearer {challenge}"}


def complete(challenge, code):
    body = {"twoFactorId": challenge, "code": code, "applicationId": APPLICATION}
    return "POST", "/api/two-factor/login", body, {}
