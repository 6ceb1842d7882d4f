"""People of Better Auth's dialect, in every state that the operations tell apart, and requests that fit them."""

import itertools
from urllib.parse import parse_qs, quote, urlsplit

import passkeys
from authenticator import Authenticator
from passkeys import Passkeys
from service import PASSWORD, USES_OF_CHALLENGE, USES_OF_PERSON, WRONG_CODE, Pool

BASE = "/api/auth"
SESSION_COOKIE = "better-auth.session_token"
CHALLENGE_COOKIE = "better-auth.two_factor"

# A session without a second factor, one whose factor is not confirmed yet, one that has passed its factor, one of a trusted
# device, which has not, and one without a second factor whose person has a passkey.
SESSION_KINDS = ("plain", "pending", "passed", "passed", "trusted", "passkey")
# Who has a passkey: for signing in, for a challenge, and for a session that has not passed its factor.
PASSKEY_KINDS = ("passkey", "challenged", "trusted")
# What ends the session, renews it, or changes what is known of its person.
ENDING_PATHS = (
    "/sign-out",
    "/revoke-session",
    "/revoke-sessions",
    "/change-password",
    "/delete-user",
    "/delete-user/callback",
    "/two-factor/enable",
    "/two-factor/disable",
    "/trusted-devices/revoke",
    "/trusted-devices/revoke-all",
    "/passkey/delete-passkey",
)
DEVICE_PATHS = ("/trusted-devices/rename", "/trusted-devices/revoke")
CHALLENGE_PATHS = ("/two-factor/verify-totp", "/two-factor/send-otp", "/two-factor/verify-otp", "/two-factor/verify-backup-code")


def has_nul(value):
    """Whether a text of a body holds U+0000."""
    if isinstance(value, dict):
        return any(has_nul(member) for member in value.values())
    return isinstance(value, str) and "\0" in value


class Person:
    """Somebody with an account, and the credential of one session or challenge."""

    def __init__(self, email, kind):
        self.email = email
        self.kind = kind
        self.uses_left = USES_OF_CHALLENGE if kind == "challenged" else USES_OF_PERSON
        self.token = None
        self.signed = None
        self.challenge_cookie = None
        self.app = None
        self.backup_codes = []
        self.authenticator = None
        # Of the ceremonies that are under way, by the path that takes their response.
        self.options = {}


class BetterAuth:
    """The dialect, as the hooks see it."""

    # What Schemathesis cannot infer, since no path has a variable: by operation, the operations that take something of its
    # response, and what. The credential is not in a link: a chain goes on with its last caller most of the time.
    LINKS = {
        "signUpWithEmailAndPassword": [
            ("signInEmail", {"email": "$response.body#/user/email", "password": "$request.body#/password"}),
            ("signUpWithEmailAndPassword", {"email": "$response.body#/user/email"}),
        ],
        "signInEmail": [("signInEmail", {"email": "$request.body#/email", "password": "$request.body#/password"})],
        "listUserSessions": [("revokeSessionPost", {"token": "$response.body#/0/token"})],
        "listTrustedDevices": [
            ("renameTrustedDevice", {"id": "$response.body#/0/id"}),
            ("revokeTrustedDevice", {"id": "$response.body#/0/id"}),
        ],
        "getSession": [("revokeSessionPost", {"token": "$response.body#/session/token"})],
        "twoFactorEnablePost": [
            ("twoFactorVerifyBackupCodePost", {"code": "$response.body#/backupCodes/0"}),
            ("twoFactorGetTotpUriPost", {"password": "$request.body#/password"}),
            ("twoFactorDisablePost", {"password": "$request.body#/password"}),
        ],
        "twoFactorGenerateBackupCodesPost": [
            ("twoFactorVerifyBackupCodePost", {"code": "$response.body#/backupCodes/9"}),
        ],
        "passkeyVerifyRegistration": [
            ("passkeyUpdatePasskey", {"id": "$response.body#/id"}),
            ("passkeyDeletePasskey", {"id": "$response.body#/id"}),
        ],
        "passkeyListUserPasskeys": [
            ("passkeyUpdatePasskey", {"id": "$response.body#/0/id"}),
            ("passkeyDeletePasskey", {"id": "$response.body#/0/id"}),
        ],
        "twoFactorVerifyBackupCodePost": [("twoFactorVerifyBackupCodePost", {"code": "$request.body#/code"})],
        "twoFactorVerifyTotpPost": [("twoFactorVerifyTotpPost", {"code": "$request.body#/code"})],
        "changePassword": [
            ("twoFactorEnablePost", {"password": "$request.body#/newPassword"}),
            ("changePassword", {"currentPassword": "$request.body#/newPassword"}),
        ],
    }

    def __init__(self, service):
        self._service = service
        self._numbers = itertools.count()
        self._pool = Pool(self.make)
        self._passkeys = Passkeys(service)
        self._people = {}
        self._last = {}, {}

    def credentials(self, case, chance, is_in_a_chain):
        """Headers and cookies of somebody who may call the operation, if it asks for anybody."""
        path = case.operation.path
        if not case.operation.definition.raw.get("security"):
            return {}, {}
        if path in passkeys.OPTIONS:
            return self._ceremony(path, chance)
        if is_in_a_chain and any(self._last) and chance.random() < 0.7:
            return self._last
        takes_challenges = path in CHALLENGE_PATHS or path == passkeys.AUTHENTICATION_OPTIONS
        kind = "challenged" if takes_challenges and chance.random() < 0.6 else chance.choice(SESSION_KINDS)
        if path in DEVICE_PATHS and chance.random() < 0.8:
            kind = "trusted"
        if path in passkeys.MANAGING_PATHS and chance.random() < 0.8:
            kind = "passkey"
        person = self._pool.take(kind)
        if kind == "challenged" and chance.random() < 0.5:
            credential, headers, cookies = person.challenge_cookie, self._origin(), {CHALLENGE_COOKIE: person.challenge_cookie}
        elif chance.random() < 0.3 and person.signed:
            credential, headers, cookies = person.signed, self._origin(), {SESSION_COOKIE: person.signed}
        else:
            credential, headers, cookies = f"Bearer {person.token}", {"Authorization": f"Bearer {person.token}"}, {}
        self._people[credential] = person
        self._last = headers, cookies
        return headers, cookies

    def _ceremony(self, path, chance):
        """Headers and cookies of somebody who has just asked for the options of a passkey."""
        is_registration = path == passkeys.REGISTRATION
        person = self._pool.take(chance.choice(SESSION_KINDS if is_registration else PASSKEY_KINDS))
        is_anybody = not is_registration and chance.random() < 0.4
        headers = {} if is_anybody else {"Authorization": f"Bearer {person.token}"}
        cookie = self._passkeys.begin(path, person, headers.get("Authorization"))
        cookies = {passkeys.COOKIE: cookie} if cookie else {}
        for credential in [*headers.values(), *cookies.values()]:
            self._people[credential] = person
        return headers | self._origin(), cookies

    def person_of(self, case):
        """Whose credential a case shows."""
        shown = [case.headers.get("Authorization"), *(case.cookies or {}).values()]
        return next((self._people[credential] for credential in shown if credential in self._people), None)

    def fitting(self, case, person, chance):
        """Values that can succeed, by place and name."""
        path = case.operation.path
        if path == "/sign-up/email":
            return {("body", "email"): self.new_address, ("body", "password"): lambda: PASSWORD, ("body", "callbackURL"): lambda: "/next"}
        if path == "/sign-in/email":
            person = self._pool.take(chance.choice(("plain", "passed")))
            return {
                ("body", "email"): lambda: person.email,
                ("body", "password"): lambda: PASSWORD,
                ("body", "callbackURL"): lambda: "/next",
            }
        if path.startswith("/reset-password"):
            # It ends all that its person has.
            token = ("path_parameters" if path.endswith("{token}") else "body", "token")
            return {
                token: lambda: self._reset_token(self.make("plain")),
                ("body", "newPassword"): lambda: PASSWORD,
                ("query", "callbackURL"): lambda: "/next",
            }
        if path in ("/send-verification-email", "/verify-email"):
            person = person or self._pool.take("plain")
            return {
                ("body", "email"): lambda: person.email,
                ("query", "token"): lambda: self._token_of("send-verification-email", {"email": person.email}, person),
                ("query", "callbackURL"): lambda: "/next",
            }
        if person is None:
            return {}
        if path == "/delete-user/callback":
            return {
                ("query", "token"): lambda: self._token_of("delete-user", {}, person, f"Bearer {person.token}"),
                ("query", "callbackURL"): lambda: "/next",
            }
        if path in passkeys.OPTIONS:
            is_under_way = path in person.options
            return {("body", "response"): lambda: self._passkeys.response(path, person, chance)} if is_under_way else {}
        codes = {
            "/two-factor/verify-totp": lambda: person.app and person.app.next_code(waits=False) or WRONG_CODE,
            "/two-factor/verify-otp": lambda: self._mailed_code(person, case),
            "/two-factor/verify-backup-code": lambda: person.backup_codes.pop() if person.backup_codes else WRONG_CODE,
        }
        fitting = {
            ("body", "password"): lambda: PASSWORD,
            ("body", "currentPassword"): lambda: PASSWORD,
            ("body", "newPassword"): lambda: "another horse battery",
            ("body", "token"): lambda: person.token,
        }
        if path in DEVICE_PATHS:
            fitting["body", "id"] = lambda: self._device_of(person)
            fitting["body", "name"] = lambda: "My laptop"
        if path in passkeys.MANAGING_PATHS:
            fitting["body", "id"] = lambda: self._passkeys.id_of(person)
        if path in codes:
            fitting["body", "code"] = codes[path]
        return fitting

    def answered(self, case, response):
        """Takes note of what a case has done to its person."""
        person = self.person_of(case)
        if person is None:
            return
        path = case.operation.path
        if path == "/two-factor/generate-backup-codes" and response.status_code == 200:
            person.backup_codes = response.json()["backupCodes"]
        ends_here = path in ENDING_PATHS or path in CHALLENGE_PATHS and person.kind in ("pending", "challenged")
        ends_here |= path == passkeys.AUTHENTICATION and person.kind in ("challenged", "trusted")
        is_sending = path == "/two-factor/send-otp"
        if response.status_code in (200, 302) and ends_here and not is_sending or response.status_code == 429:
            self._forget(case, person)
        elif response.status_code == 401 and response.json()["code"] in ("UNAUTHORIZED", "INVALID_TWO_FACTOR_COOKIE"):
            self._forget(case, person)

    def _forget(self, case, person):
        self._pool.retire(person)
        for credential in [case.headers.get("Authorization"), *(case.cookies or {}).values()]:
            self._people.pop(credential, None)

    def is_refusal(self, case, response):
        """Whether a response refuses what was asked, and not the form in which it was asked."""
        if response.status_code == 400:
            # No schema can be read that says so and that every generator takes; the contract's words do. Nor is there a format for
            # the addresses that users may have, which are more than those of `email`.
            error = response.json()
            is_form = error["code"] in ("BAD_REQUEST", "VALIDATION_ERROR") and not has_nul(case.body)
            return not is_form or error["message"] == "[body.email] Invalid email address"
        return response.status_code == 422 and response.json()["code"] == "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"

    def is_the_end(self, case):
        """Whether nothing is left of what the path of a DELETE names. No operation is one."""
        return True

    def new_address(self):
        return f"person-{self._service.round}-{next(self._numbers)}@example.com"

    def _origin(self):
        return {"Origin": self._service.origin}

    def _mailed_code(self, person, case):
        headers = {"authorization": case.headers["Authorization"]} if "Authorization" in case.headers else None
        if headers is None:
            return WRONG_CODE
        self._service.call("POST", f"{BASE}/two-factor/send-otp", {}, headers["authorization"])
        return self._service.mailed_code(person.email) or WRONG_CODE

    def _device_of(self, person):
        """The id of a trusted device of a person; one that nobody has if there is none."""
        listed = self._service.call("GET", f"{BASE}/trusted-devices/list", None, f"Bearer {person.token}")
        devices = listed.json() if listed.status_code == 200 else []
        return devices[0]["id"] if devices else "0" * 32

    def _reset_token(self, person):
        self._service.call("POST", f"{BASE}/request-password-reset", {"email": person.email})
        link = self._service.mailed_link(person.email) or ""
        return urlsplit(link).path.rpartition("/")[2] or "none"

    def _token_of(self, path, body, person, credential=None):
        """The token in the query of a link that is mailed to a person."""
        self._service.call("POST", f"{BASE}/{path}", body, credential)
        link = self._service.mailed_link(person.email) or ""
        return parse_qs(urlsplit(link).query).get("token", ["none"])[0]

    def make(self, kind):
        person = Person(self.new_address(), kind)
        self._sign_up(person)
        if kind not in ("plain", "passkey"):
            self._enable(person)
        if kind in ("passed", "challenged", "trusted"):
            self._confirm(person)
        if kind in PASSKEY_KINDS:
            self._passkeys.give(person)
        if kind in ("challenged", "trusted"):
            self._challenge(person)
        if kind == "trusted":
            self._trust(person)
        return person

    def _sign_up(self, person):
        body = {"name": "Ada", "email": person.email, "password": PASSWORD}
        self._take_session(person, self._post("sign-up/email", body))

    def _enable(self, person):
        made = self._post("two-factor/enable", {"password": PASSWORD}, person.token).json()
        person.app = Authenticator(made["totpURI"])
        person.backup_codes = made["backupCodes"]

    def _confirm(self, person):
        self._take_session(person, self._post("two-factor/verify-totp", {"code": person.app.next_code()}, person.token))

    def _challenge(self, person):
        response = self._post("sign-in/email", {"email": person.email, "password": PASSWORD})
        person.token, person.signed = response.json()["twoFactorToken"], None
        person.challenge_cookie = response.cookies[CHALLENGE_COOKIE]

    def _trust(self, person):
        body = {"code": person.backup_codes.pop(), "trustDevice": True}
        trust = self._post("two-factor/verify-backup-code", body, person.token).cookies["better-auth.trust_device"]
        headers = {"cookie": f"better-auth.trust_device={trust}"} | self._origin()
        body = {"email": person.email, "password": PASSWORD}
        self._take_session(person, self._post("sign-in/email", body, headers=headers))

    def _take_session(self, person, response):
        person.signed = quote(response.headers["set-auth-token"], safe="")
        person.token = response.headers["set-auth-token"].split(".")[0]
        person.challenge_cookie = None

    def _post(self, path, body, token=None, headers=None):
        return self._service.done("POST", f"{BASE}/{path}", body, f"Bearer {token}" if token else None, headers)
