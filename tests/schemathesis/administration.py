"""Users as administrators see them, in every state that the operations tell apart, and requests that fit them."""

import itertools
import uuid

from better_auth import BetterAuth
from service import PASSWORD, Pool

TENANT = "c0de0000-0000-4000-8000-000000000001"

# A user without a second factor, one whose factor is not confirmed yet, one that has signed in with one, one with a trusted
# device, and one that is deactivated.
KINDS = ("plain", "pending", "passed", "trusted", "deactivated")

# What the rules for values are about which are any text by the schema: `errors` names one of them.
FREE_TEXTS = ("tenantId", "cursor", "account", "kind", "since", "until", "#/tenantId", "#/email", "#/emailVerified", "#/username", "#/name", "#/password")

# Each user is good for so many cases: most of them change something.
USES = 4


class User:
    """A user, with the credential of one session."""

    def __init__(self, id, email, token, kind):
        self.id = id
        self.email = email
        self.token = token
        self.kind = kind
        self.uses_left = USES


class Administration:
    """The API, as the hooks see it."""

    # Schemathesis infers what the variables in the paths link.
    LINKS = {}

    def __init__(self, service):
        self._service = service
        self._numbers = itertools.count()
        self._persons = BetterAuth(service)
        self._pool = Pool(self._make)

    def credentials(self, case, chance, is_in_a_chain):
        """The headers and cookies of an administrator."""
        return {"Authorization": f"Bearer {self._service.admin_key}"}, {}

    def person_of(self, case):
        """Nobody: users do not call these operations."""
        return None

    def fitting(self, case, user, chance):
        """Values that can succeed, by place and name."""
        case_id = case.operation.definition.raw["operationId"]
        kinds = {"reactivateUser": ("deactivated",), "resetFactors": ("passed", "trusted"), "revokeGrant": ("passed", "trusted")}
        user = self._pool.take(chance.choice(kinds.get(case_id, KINDS)))
        return {
            ("path_parameters", "userId"): lambda: user.id,
            ("path_parameters", "grantId"): lambda: self._grant(user, chance),
            ("query", "tenantId"): lambda: TENANT,
            ("query", "startsWith"): lambda: chance.choice(("", "person", user.email)),
            ("query", "cursor"): lambda: self._cursor(case_id),
            ("query", "account"): lambda: user.id,
            ("query", "kind"): lambda: chance.choice(("signed-up", "signed-in", "second-factor-enabled")),
            ("query", "since"): lambda: "2026-01-01T00:00:00.000Z",
            ("query", "until"): lambda: "2099-01-01T00:00:00.000Z",
            ("body", "tenantId"): lambda: TENANT,
            ("body", "email"): self._new_address,
            ("body", "username"): lambda: self._new_address().replace("@", "-"),
            ("body", "name"): lambda: "Ada Lovelace",
            ("body", "password"): lambda: PASSWORD,
        }

    def answered(self, case, response):
        """Takes note of what a case has done to its user."""
        user_id = (case.path_parameters or {}).get("userId")
        if case.method != "GET" and response.status_code < 300:
            for user in list(self._pool.current()):
                if user.id == user_id:
                    self._pool.retire(user)

    def is_refusal(self, case, response):
        """Whether a response refuses what was asked, and not the form in which it was asked."""
        if response.status_code != 400:
            return False
        problem = response.json()
        if problem["code"] != "INVALID_REQUEST":
            return problem["code"] != "INVALID_JSON"
        places = [part.get("pointer") or part.get("parameter") or "" for part in problem.get("errors", [])]
        # A user without a name to sign in with is a matter of two properties.
        return all(place in FREE_TEXTS or place == "" for place in places)

    def is_the_end(self, case):
        """Whether nothing is left of what the path of a DELETE names: sessions that have ended can be listed, as none."""
        return case.operation.definition.raw["operationId"] in ("deleteUser", "revokeGrant")

    def _new_address(self):
        return f"user-{self._service.round}-{next(self._numbers)}@example.com"

    def _call(self, method, path, body=None):
        return self._service.done(method, f"/admin{path}", body, f"Bearer {self._service.admin_key}")

    def _make(self, kind):
        person = self._persons.make("passed" if kind == "deactivated" else kind)
        (found,) = self._call("GET", f"/users?startsWith={person.email}").json()["users"]
        if kind == "deactivated":
            self._call("POST", f"/users/{found['id']}/deactivate")
        return User(found["id"], person.email, person.token, kind)

    def _grant(self, user, chance):
        """The id of something that is open for a user; one that nobody has if there is none."""
        grants = self._call("GET", f"/users/{user.id}/sessions").json()
        ids = [grant["id"] for kind in ("sessions", "refreshTokens", "trustedDevices") for grant in grants[kind]]
        return chance.choice(ids) if ids else str(uuid.uuid4())

    def _cursor(self, case_id):
        path = "/users?limit=1" if case_id == "listUsers" else "/audit-events?limit=1"
        return self._call("GET", path).json()["nextCursor"]
