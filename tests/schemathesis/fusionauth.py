"""Users of FusionAuth's dialect, in every state that the operations tell apart, and requests that fit them."""

import itertools
import time
import uuid
from functools import cache

from authenticator import Authenticator
from fusionauth_passkeys import Passkeys
from service import PASSWORD, USES_OF_PERSON, WRONG_CODE, Pool

APPLICATION = "c0de0000-0000-4000-8000-000000000002"
TENANT = "c0de0000-0000-4000-8000-000000000001"
# The kind of action that locks a user.
LOCK = "c0de0000-0000-4000-8000-000000000009"
# Properties of a user that are taken as they are shown, and not otherwise.
AS_SHOWN = ("verified", "tenantId", "usernameStatus", "registrations", "memberships", "encryptionScheme", "factor", "salt", "twoFactor")
# What is understood of query strings.
QUERIES = ("*", "user*", "email:user*", "username:user*", '"user"', "nobody@example.com")

# Parameters and properties that are UUIDs and switches, and any text by their schema.
IDS = ("userId", "tokenId", "actionId", "ids", "actioneeUserId", "actionerUserId", "numberOfResults", "startRow", "applicationId", "tenantId", "hardDelete", "reactivate", "loginIdTypes", "sendVerifyEmail", "]global", "]accurateTotal", "]active", "]preventingLogin")

# Most have a second factor. Of the others, one has nothing special, one has to change the password first, one is
# deactivated, and the account of one is over.
KINDS = ("plain", "app", "app", "mail", "must-change", "deactivated", "expired")
# Who has a passkey, too: without a second factor, or beside one.
PASSKEY_KINDS = ("plain", "app")
# Whose access token is shown: of a login without a second factor, or one that passed it.
HOLDER_KINDS = ("plain", "app")


class User:
    """Somebody with an account, and what they have been given."""

    def __init__(self, id, email, kind):
        self.id = id
        self.email = email
        self.kind = kind
        self.uses_left = USES_OF_PERSON
        self.app = None
        self.secret = None
        self.recovery_codes = []
        self.method_id = None
        self.token = None
        self.authenticator = None
        self.passkey_id = None


class FusionAuth:
    """The dialect, as the hooks see it."""

    # Schemathesis infers what the variables in the paths link.
    LINKS = {}

    def __init__(self, service):
        self._service = service
        self._numbers = itertools.count()
        self._pool = Pool(self._make)
        self._passkeys = Passkeys(service)
        self._people = {}

    def credentials(self, case, chance, is_in_a_chain):
        """Headers and cookies of a service or a person who may call the operation, if it asks for anybody."""
        accepted = {name for option in case.operation.definition.raw.get("security", []) for name in option}
        if not accepted:
            return {}, {}
        if "apiKey" in accepted and ("bearerAuth" not in accepted or chance.random() < 0.6):
            return {"Authorization": self._service.api_key}, {}
        # Whoever disables a method has one.
        user = self._pool.take("app" if case.method == "DELETE" else chance.choice(HOLDER_KINDS))
        if user.token is None:
            user.token = self._log_in(user, {"applicationId": APPLICATION})["token"]
        self._people[user.token] = user
        if chance.random() < 0.3:
            return {}, {"access_token": user.token}
        return {"Authorization": f"Bearer {user.token}"}, {}

    def person_of(self, case):
        """Whose access token a case shows."""
        shown = [(case.headers.get("Authorization") or "").removeprefix("Bearer "), *(case.cookies or {}).values()]
        return next((self._people[token] for token in shown if token in self._people), None)

    def fitting(self, case, user, chance):
        """Values that can succeed, by place and name."""
        case_id = case.operation.definition.raw["operationId"]
        is_about_passkeys = "WebAuthn" in case_id
        user = user or self._pool.take(chance.choice(PASSKEY_KINDS if is_about_passkeys else KINDS))

        @cache
        def code():
            return self._code(case_id, user, case)

        fitting = {
            ("headers", "X-FusionAuth-TenantId"): lambda: chance.choice((TENANT, TENANT, "undefined", "")),
            ("path_parameters", "userId"): lambda: str(uuid.uuid4()) if case_id == "createUserWithId" else user.id,
            ("path_parameters", "twoFactorTrustId"): lambda: self._trust(user),
            ("path_parameters", "twoFactorId"): lambda: self._challenge(user)["twoFactorId"],
            ("path_parameters", "tokenId"): self._refresh_token_id,
            ("path_parameters", "applicationId"): lambda: self._registered(user),
            ("path_parameters", "actionId"): lambda: self._locked(user),
            ("path_parameters", "changePasswordId"): lambda: chance.choice((self._change_password_id, self._forgotten_id))(),
            ("path_parameters", "verificationId"): self._verification_id,
            ("query", "changePasswordId"): self._forgotten_id,
            ("query", "sendVerifyEmail"): lambda: chance.choice(("true", "false")),
            ("body", "verificationId"): self._verification_id,
            ("query", "userId"): lambda: user.id,
            ("query", "loginId"): lambda: user.email,
            ("query", "email"): lambda: user.email,
            ("query", "loginIdTypes"): lambda: "email,username",
            ("query", "applicationId"): lambda: APPLICATION,
            ("query", "methodId"): lambda: user.method_id or "ABCD",
            ("query", "code"): code,
            ("query", "reactivate"): lambda: chance.choice(("true", "false")),
            ("query", "hardDelete"): lambda: chance.choice(("true", "false")),
            ("query", "ids"): lambda: user.id,
            ("query", "queryString"): lambda: chance.choice(QUERIES),
            ("query", "query"): lambda: "",
            ("query", "nextResults"): lambda: "",
            ("query", "orderBy"): lambda: chance.choice(("", "id")),
            ("query", "numberOfResults"): lambda: chance.choice(("0", "25", "500")),
            ("query", "startRow"): lambda: chance.choice(("0", "25")),
            ("query", "active"): lambda: chance.choice(("true", "false")),
            ("body", "userId"): lambda: user.id,
            ("body", "loginId"): lambda: user.email,
            ("body", "loginIdTypes"): lambda: ["email"],
            ("body", "password"): lambda: PASSWORD if case_id == "login" else "another horse battery",
            ("body", "currentPassword"): lambda: PASSWORD,
            ("body", "applicationId"): lambda: APPLICATION,
            ("body", "methodId"): lambda: user.method_id or "ABCD",
            ("body", "method"): lambda: chance.choice(("authenticator", "email", "sms")),
            ("body", "email"): lambda: user.email,
            ("body", "mobilePhone"): lambda: "+15550100199",
            ("body", "secret"): lambda: self._secret(user),
            ("body", "twoFactorTrustId"): lambda: self._trust(user),
            ("body", "refreshToken"): lambda: self._refresh_token(user),
            ("body", "oneTimePassword"): lambda: self._one_time_password(),
            ("body", "trustToken"): lambda: self._trust_token(user),
            ("body", "ipAddress"): lambda: "203.0.113.7",
            ("body", "user.email"): self.new_address,
            ("body", "user.password"): lambda: PASSWORD,
            ("body", "user.username"): lambda: self.new_address().replace("@", "-"),
            ("body", "user.phoneNumber"): lambda: f"+1555{self._service.round:03}{next(self._numbers):06}",
            ("body", "user.expiry"): lambda: chance.choice((None, int(time.time() * 1000) + 86_400_000)),
            ("body", "user.active"): lambda: chance.choice((None, True, False)),
            ("body", "user.birthDate"): lambda: "1815-12-10",
            # Only what the user has is taken.
            **{("body", f"user.{name}"): lambda: None for name in AS_SHOWN},
            ("body", "registration.applicationId"): lambda: APPLICATION,
            ("body", "registration.roles"): lambda: [],
            ("body", "search.ids"): lambda: chance.choice((None, [user.id, str(uuid.uuid4())])),
            ("body", "search.queryString"): lambda: chance.choice(QUERIES),
            ("body", "search.query"): lambda: None,
            ("body", "search.nextResults"): lambda: None,
            ("body", "search.orderBy"): lambda: None,
            ("body", "search.sortFields"): lambda: chance.choice((None, [{"name": "id"}])),
            ("body", "search.numberOfResults"): lambda: chance.choice((None, 0, 25, 500)),
            ("body", "search.startRow"): lambda: chance.choice((None, 0, 25)),
            ("body", "action.actioneeUserId"): lambda: user.id,
            ("body", "action.actionerUserId"): lambda: user.id,
            ("body", "action.userActionId"): lambda: LOCK,
            ("body", "action.expiry"): lambda: int(time.time() * 1000) + 86_400_000,
            ("body", "action.applicationIds"): lambda: None,
            ("body", "action.option"): lambda: None,
            ("body", "action.reasonId"): lambda: None,
        }
        if case_id == "twoFactorLogin":
            begun = {}
            fitting["body", "twoFactorId"] = lambda: begun.setdefault("it", self._challenge(user))["twoFactorId"]
            fitting["body", "code"] = lambda: begun.setdefault("it", self._challenge(user))["code"]
        elif case_id == "startTwoFactorLogin":
            fitting["body", "code"] = lambda: "a code of the caller's"
        else:
            fitting["body", "code"] = code
        if is_about_passkeys:
            fitting |= self._passkeys.fitting(case_id, user, chance)
            fitting["body", "twoFactorId"] = lambda: chance.choice((None, self._challenge(user)["twoFactorId"]))
        if case_id == "twoFactorLogin" and user.authenticator and chance.random() < 0.4:
            fitting["body", "credential"] = lambda: self._passkeys.asserted(user, chance, fitting["body", "twoFactorId"]())
            fitting["body", "code"] = lambda: None
        if case_id in ("register", "updateRegistration", "patchRegistration"):
            # Only what the user has is taken.
            fitting = {place: value for place, value in fitting.items() if not place[1].startswith("user.")}
            fitting["body", "user"] = lambda: None
            if case_id != "register":
                fitting["path_parameters", "userId"] = lambda: self._registered_user(user)
        if case_id == "login":
            # With a good one, login id and password are not looked at.
            if chance.random() < 0.8:
                del fitting["body", "oneTimePassword"]
        if case_id == "forgotPassword":
            # Every id that a caller chooses is refused.
            fitting["body", "changePasswordId"] = lambda: ""
            fitting["body", "username"] = lambda: user.email
            fitting["body", "sendForgotPasswordEmail"] = lambda: chance.choice((None, True, False))
        if case_id in ("verifyEmailAddress", "passwordlessLogin"):
            fitting["body", "oneTimeCode"] = lambda: ""
        if case_id == "startPasswordlessLogin":
            fitting["body", "loginStrategy"] = lambda: "ClickableLink"
        if case_id in ("sendPasswordlessCode", "passwordlessLogin"):
            fitting["body", "code"] = lambda: self._passwordless_code(user)
        if case_id == "verifyEmailAddress" and chance.random() < 0.5:
            # With a good id, the user's is not looked at.
            del fitting["body", chance.choice(("verificationId", "userId"))]
        if case_id == "checkChangePasswordByIdentity":
            del fitting["query", chance.choice(("changePasswordId", "loginId"))]
        if case_id == "sendTwoFactorCodeForEnableDisable":
            # With a method's id, its kind is not looked at.
            del fitting["body", chance.choice(("methodId", "method"))]
        return fitting

    def answered(self, case, response):
        """Takes note of what a case has done to its user."""
        has_changed = case.method != "GET" and response.status_code < 300
        if not has_changed and response.status_code not in (401, 404, 429):
            return
        user = self.person_of(case)
        if user:
            self._people.pop(user.token, None)
            self._pool.retire(user)
        else:
            named = {**(case.query or {}), **(case.path_parameters or {})}
            for user in list(self._pool.current()):
                if user.id == named.get("userId") or user.passkey_id and user.passkey_id == named.get("id"):
                    self._pool.retire(user)

    def is_refusal(self, case, response):
        """Whether a response refuses what was asked, and not the form in which it was asked.

        No property of a request is required by its schema, and ids are any text there: the dialect says itself what is
        missing (`[blank]`, `[missing]`) and which text is no id (`[couldNotConvert]`).
        """
        if response.status_code != 400:
            return response.status_code in (410, 421, 422, 423)
        errors = response.json()
        general = [error["code"] for error in errors.get("generalErrors", [])]
        fields = [error["code"] for found in errors.get("fieldErrors", {}).values() for error in found]
        is_about_form = any(code.startswith("[couldNotConvert]") and not code.endswith(IDS) for code in fields)
        return "[invalidJSON]" not in general and not is_about_form

    def is_the_end(self, case):
        """Whether nothing is left of what the path of a DELETE names.

        A user is only deactivated without `hardDelete=true`, and goes on without a method.
        """
        is_hard = str((case.query or {}).get("hardDelete")).lower() == "true"
        case_id = case.operation.definition.raw["operationId"]
        return case_id == "deleteWebAuthnCredential" or case_id == "deleteUser" and is_hard

    def new_address(self):
        return f"user-{self._service.round}-{next(self._numbers)}@example.com"

    def _call(self, method, path, body=None):
        return self._service.done(method, path, body, self._service.api_key)

    def _make(self, kind):
        email = self.new_address()
        fields = {"email": email, "password": PASSWORD}
        if kind == "must-change":
            fields["passwordChangeRequired"] = True
        if kind == "expired":
            fields["expiry"] = int(time.time() * 1000) - 1000
        user = User(self._call("POST", "/api/user", {"user": fields}).json()["user"]["id"], email, kind)
        if kind == "plain":
            registration = {"registration": {"applicationId": APPLICATION}}
            self._call("POST", f"/api/user/registration/{user.id}", registration)
        if kind == "app":
            self._enable_app(user)
        if kind == "mail":
            self._enable_mail(user)
        if kind in PASSKEY_KINDS:
            self._passkeys.give(user)
        if kind == "deactivated":
            self._call("DELETE", f"/api/user/{user.id}")
        return user

    def _enable_app(self, user):
        secret = self._call("GET", "/api/two-factor/secret").json()["secretBase32Encoded"]
        user.app = Authenticator.of(secret)
        body = {"method": "authenticator", "secretBase32Encoded": secret, "code": user.app.next_code()}
        self._take_codes(user, self._call("POST", f"/api/user/two-factor/{user.id}", body))

    def _enable_mail(self, user):
        method = {"method": "email", "email": user.email}
        self._call("POST", "/api/two-factor/send", {"userId": user.id} | method)
        body = method | {"code": self._service.mailed_code(user.email)}
        self._take_codes(user, self._call("POST", f"/api/user/two-factor/{user.id}", body))

    def _take_codes(self, user, response):
        user.recovery_codes = response.json()["recoveryCodes"]
        (method,) = self._call("GET", f"/api/user/{user.id}").json()["user"]["twoFactor"]["methods"]
        user.method_id = method["id"]

    def _challenge(self, user):
        response = self._service.call("POST", "/api/two-factor/start", {"userId": user.id}, self._service.api_key)
        return response.json() if response.status_code == 200 else {"twoFactorId": "x" * 43, "code": WRONG_CODE}

    def _complete(self, user, more):
        begun = self._challenge(user)
        body = {"twoFactorId": begun["twoFactorId"], "code": begun["code"]} | more
        response = self._service.call("POST", "/api/two-factor/login", body)
        return response.json() if response.status_code in (200, 202) else {}

    def _log_in(self, user, more):
        if user.app:
            return self._complete(user, more)
        body = {"loginId": user.email, "password": PASSWORD} | more
        return self._call("POST", "/api/login", body).json()

    def _trust(self, user):
        return self._complete(user, {"trustComputer": True}).get("twoFactorTrustId", "x" * 43)

    def _trust_token(self, user):
        return self._complete(user, {}).get("trustToken", "x" * 43)

    def _refresh_token(self, user):
        return self._complete(user, {"applicationId": APPLICATION}).get("refreshToken", "x" * 43)

    def _refresh_token_id(self):
        user = self._pool.take("plain")
        self._log_in(user, {"applicationId": APPLICATION})
        path = f"/api/jwt/refresh?userId={user.id}"
        response = self._service.call("GET", path, None, self._service.api_key)
        tokens = response.json()["refreshTokens"] if response.status_code == 200 else []
        return tokens[0]["id"] if tokens else str(uuid.uuid4())

    def _registered_user(self, user):
        self._registered(user)
        return user.id

    def _registered(self, user):
        body = {"registration": {"applicationId": APPLICATION}}
        # 400 if the user is registered already.
        self._service.call("POST", f"/api/user/registration/{user.id}", body, self._service.api_key)
        return APPLICATION

    def _locked(self, user):
        expiry = int(time.time() * 1000) + 3_600_000
        action = {"actioneeUserId": user.id, "userActionId": LOCK, "expiry": expiry}
        self._service.call("POST", "/api/user/action", {"action": action}, self._service.api_key)
        self._pool.retire(user)
        return user.id

    def _change_password_id(self):
        user = self._make("must-change")
        body = {"loginId": user.email, "password": PASSWORD}
        return self._call("POST", "/api/login", body).json()["changePasswordId"]

    def _forgotten_id(self):
        body = {"loginId": self._make("plain").email, "sendForgotPasswordEmail": False}
        return self._call("POST", "/api/user/forgot-password", body).json()["changePasswordId"]

    def _verification_id(self):
        path = f"/api/user/verify-email?email={self._make('plain').email}&sendVerifyEmail=false"
        return self._call("PUT", path).json()["verificationId"]

    def _passwordless_code(self, user):
        body = {"applicationId": APPLICATION, "loginId": user.email}
        response = self._service.call("POST", "/api/passwordless/start", body, self._service.api_key)
        return response.json()["code"] if response.status_code == 200 else "x" * 43

    def _one_time_password(self):
        path = f"/api/user/change-password/{self._change_password_id()}"
        return self._service.done("POST", path, {"password": "another horse battery"}).json()["oneTimePassword"]

    def _secret(self, user):
        response = self._call("GET", "/api/two-factor/secret").json()
        user.secret = response["secretBase32Encoded"]
        return response["secret"]

    def _code(self, operation_id, user, case):
        """A code that fits: to enable a method, of what the request names; to disable one, of what the user has."""
        if operation_id.startswith("enable"):
            body = case.body if isinstance(case.body, dict) else {}
            if body.get("method") == "email" and body.get("email") == user.email:
                self._service.call(
                    "POST", "/api/two-factor/send", {"userId": user.id} | {"method": "email", "email": user.email}, self._service.api_key
                )
                return self._service.mailed_code(user.email) or WRONG_CODE
            return Authenticator.of(user.secret).next_code() if user.secret else WRONG_CODE
        # An app has a code that is new for some of the calls only, of which there are more in its time on a fast machine.
        code = user.app.next_code(waits=False) if user.app else None
        return code or (user.recovery_codes.pop() if user.recovery_codes else WRONG_CODE)
