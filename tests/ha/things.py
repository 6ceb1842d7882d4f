"""One-time things of both dialects: how each is made, presented, and judged.

A thing is a register that one presentation takes. Its presentations differ in who presents (a challenge, a client), and it
says of each response whether it took the thing, found it taken, or says nothing about it (a limit was reached before).
"""

import re
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import quote

from nodes import BASE_URL
from recorder import ACCEPTED, NOTHING, REFUSED
from users import (
    APPLICATION, PASSWORD, STEP_SECONDS, browser_challenge, browser_user, complete, enrolled_by_service, enrolled_in_browser,
    present_step, secret_of, service_challenge, service_user, verify,
)

TRUST_COOKIE = "better-auth.trust_device"


@dataclass
class Thing:
    name: str
    # A register of the checker: see checker/src/registers.rs.
    model: str
    # Requests that present it, in turn: method, path, body, headers.
    requests: list
    judge: object
    # Called with the index of a request and the response that it was accepted with.
    accepted: object = None
    # Until when it can be accepted, in Unix seconds.
    window: float = None
    # Seconds after the first presentations until it is presented again.
    again_after: float = 0
    extra: dict = field(default_factory=dict)


# What responses say.


def by_browser(response):
    """Codes in Better Auth's dialect."""
    if response.status == 200:
        return ACCEPTED, None
    # Tries or guesses are used up, also by a code that another one has used.
    limited = response.status == 429 or response.json().get("code") == "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE"
    return (NOTHING if limited else REFUSED), None


def by_service(response):
    """Codes, ids and tokens in FusionAuth's dialect."""
    if response.status in (200, 202):
        return ACCEPTED, None
    return (NOTHING if response.status in (409, 410, 429) else REFUSED), None


def refreshed(response):
    """What took a refresh token has the next one; so has who took it at the same time."""
    if response.status == 200:
        return ACCEPTED, response.json().get("refreshToken")
    return (NOTHING if response.status == 429 else REFUSED), None


def spared(response):
    """A sign-in with trust in the device: it was good if no second factor is asked for."""
    if response.status != 200:
        return NOTHING, None
    return (REFUSED if response.json().get("twoFactorRedirect") else ACCEPTED), None


def opens_session(recorder):
    def accepted(_index, response):
        recorder.acknowledge("session", response.json()["token"])

    return accepted


def sets_password(recorder, user, passwords):
    def accepted(index, _response):
        recorder.acknowledge("password", user.email, passwords[index])

    return accepted


def named(kind):
    return f"{kind}:{secrets.token_hex(4)}"


def step_ends():
    """When the code of the next step stops being right."""
    return (present_step() + 3) * STEP_SECONDS


# The things.


async def totp_in_browser(recorder):
    user = await enrolled_in_browser(recorder)
    challenges = [await browser_challenge(recorder, user) for _ in range(2)] + [user.session]
    window, code = step_ends(), user.code(1)
    requests = [verify("totp", challenge, code) for challenge in challenges]
    return Thing(named("totp/better-auth"), "once", requests, by_browser, opens_session(recorder), window)


async def totp_by_service(recorder):
    user = await enrolled_by_service(recorder)
    challenges = [(await service_challenge(recorder, user))[0] for _ in range(3)]
    window, code = step_ends(), user.code(1)
    return Thing(named("totp/fusionauth"), "once", [complete(one, code) for one in challenges], by_service, window=window)


async def enrolment_in_browser(recorder):
    """The code that confirms an enrolment. It gives the session another token, so that the old one presents nothing more."""
    user = await browser_user(recorder)
    begun = (await recorder.better_auth("/two-factor/enable", {"password": PASSWORD}, user.session)).json()
    user.secret = secret_of(begun)

    def accepted(_index, response):
        recorder.acknowledge("enrolled", user.id)
        recorder.acknowledge("session", response.json()["token"])

    requests = [verify("totp", user.session, user.code(1))] * 3
    return Thing(named("enrolment/better-auth"), "once", requests, by_browser, accepted, step_ends())


async def mailed_code_in_browser(recorder):
    user = await enrolled_in_browser(recorder)
    challenge = await browser_challenge(recorder, user)
    await recorder.better_auth("/two-factor/send-otp", {}, challenge)
    code = await recorder.sent_to(user.email, "code")
    return Thing(
        named("mailed code/better-auth"), "once", [verify("otp", challenge, code)] * 3, by_browser, opens_session(recorder),
        time.time() + 150,
    )


async def code_by_service(recorder):
    user = await service_user(recorder)
    challenge, code = await service_challenge(recorder, user)
    return Thing(named("sent code/fusionauth"), "once", [complete(challenge, code)] * 3, by_service)


async def backup_code_in_browser(recorder):
    user = await enrolled_in_browser(recorder)
    challenges = [await browser_challenge(recorder, user) for _ in range(2)]
    requests = [verify("backup-code", challenge, user.codes[0]) for challenge in challenges]
    return Thing(named("backup code/better-auth"), "once", requests, by_browser, opens_session(recorder))


async def backup_code_by_service(recorder):
    user = await enrolled_by_service(recorder)
    challenges = [(await service_challenge(recorder, user))[0] for _ in range(3)]
    return Thing(
        named("recovery code/fusionauth"), "once", [complete(one, user.codes[0]) for one in challenges], by_service
    )


async def challenge_in_browser(recorder):
    user = await enrolled_in_browser(recorder)
    challenge = await browser_challenge(recorder, user)
    requests = [
        verify("totp", challenge, user.code(1)),
        verify("backup-code", challenge, user.codes[0]),
        verify("backup-code", challenge, user.codes[1]),
    ]
    return Thing(named("challenge/better-auth"), "once", requests, by_browser, opens_session(recorder), step_ends())


async def challenge_by_service(recorder):
    user = await enrolled_by_service(recorder)
    challenge, code = await service_challenge(recorder, user)
    requests = [complete(challenge, code), complete(challenge, user.codes[0]), complete(challenge, user.codes[1])]
    return Thing(named("challenge/fusionauth"), "once", requests, by_service)


async def trust_in_browser(recorder):
    user = await enrolled_in_browser(recorder)
    challenge = await browser_challenge(recorder, user)
    body = {"code": user.codes[0], "trustDevice": True}
    trusted = await recorder.better_auth("/two-factor/verify-backup-code", body, challenge)
    browser = {"cookie": f"{TRUST_COOKIE}={trusted.cookies()[TRUST_COOKIE]}", "origin": BASE_URL}
    request = "POST", "/api/auth/sign-in/email", {"email": user.email, "password": PASSWORD}, browser
    return Thing(named("trust/better-auth"), "once", [request] * 3, spared, opens_session(recorder))


async def refresh_token(recorder):
    user = await service_user(recorder)
    body = {"loginId": user.email, "password": PASSWORD, "applicationId": APPLICATION}
    token = (await recorder.service("POST", "/login", body)).json()["refreshToken"]
    request = "POST", "/api/jwt/refresh", {"refreshToken": token}, {}
    # For ten seconds a token that was used gets the same next one.
    return Thing(named("refresh token/fusionauth"), "refresh", [request] * 3, refreshed, again_after=11)


async def reset_token(recorder):
    user = await browser_user(recorder)
    await recorder.better_auth("/request-password-reset", {"email": user.email})
    token = re.search(r"/reset-password/([^/?]+)", await recorder.sent_to(user.email, "link")).group(1)
    passwords = [f"{secrets.token_hex(8)} horse" for _ in range(3)]
    requests = [("POST", "/api/auth/reset-password", {"newPassword": new, "token": token}, {}) for new in passwords]
    return Thing(named("reset token/better-auth"), "once", requests, by_browser, sets_password(recorder, user, passwords))


async def forgotten_password_id(recorder):
    user = await service_user(recorder)
    await recorder.ok("POST", "/api/user/forgot-password", {"loginId": user.email})
    ticket = (await recorder.sent_to(user.email, "link")).rsplit("/", 1)[1]
    passwords = [f"{secrets.token_hex(8)} horse" for _ in range(3)]
    requests = [("POST", f"/api/user/change-password/{quote(ticket)}", {"password": new}, {}) for new in passwords]
    return Thing(
        named("reset id/fusionauth"), "once", requests, by_service, sets_password(recorder, user, passwords)
    )


async def passwordless_code(recorder):
    user = await service_user(recorder)
    begun = await recorder.service("POST", "/passwordless/start", {"applicationId": APPLICATION, "loginId": user.email})
    request = "POST", "/api/passwordless/login", {"code": begun.json()["code"]}, {}
    return Thing(named("passwordless/fusionauth"), "once", [request] * 3, by_service)


async def ended_session(recorder):
    """A session is no one-time thing: it is read while it lives, ended, and read again."""
    user = await browser_user(recorder)
    bearer = {"authorization": f"Bearer {user.session}"}
    read = "GET", "/api/auth/get-session", None, bearer
    end = "POST", "/api/auth/sign-out", {}, bearer
    return Thing(named("session/better-auth"), "session", [read, end], None, extra={"token": user.session})


def read_session(response):
    return (ACCEPTED if response.status == 200 and response.json().get("user") else REFUSED), None


def end_session(response):
    return (ACCEPTED if response.status == 200 else NOTHING), None


# What is made in a round. Sessions are what nodes could remember wrongly: there are more of them.
ALL = [
    enrolment_in_browser, totp_in_browser, totp_by_service, mailed_code_in_browser, code_by_service, backup_code_in_browser, backup_code_by_service,
    challenge_in_browser, challenge_by_service, trust_in_browser, refresh_token, reset_token, forgotten_password_id,
    passwordless_code, ended_session, ended_session, ended_session,
]
