"""Passkeys of Better Auth's dialect: ceremonies under way, and responses that fit them."""

from passkey_authenticator import PasskeyAuthenticator

BASE = "/api/auth"
COOKIE = "better-auth.better-auth-passkey"

REGISTRATION = "/passkey/verify-registration"
AUTHENTICATION = "/passkey/verify-authentication"
AUTHENTICATION_OPTIONS = "/passkey/generate-authenticate-options"
MANAGING_PATHS = ("/passkey/list-user-passkeys", "/passkey/update-passkey", "/passkey/delete-passkey")

OPTIONS = {REGISTRATION: "/passkey/generate-register-options", AUTHENTICATION: AUTHENTICATION_OPTIONS}

# Holding a key is one factor; with a PIN, a finger or a face it is two.
SHARE_OF_VERIFIED = 0.7


class Passkeys:
    """Asks for options, and has authenticators respond to them."""

    def __init__(self, service):
        self._service = service

    def give(self, person):
        """Registers a passkey for a person who has a session."""
        person.authenticator = PasskeyAuthenticator(self._service.origin)
        credential = f"Bearer {person.token}"
        cookie = self.begin(REGISTRATION, person, credential)
        body = {"response": person.authenticator.create(person.options[REGISTRATION])}
        headers = {"cookie": f"{COOKIE}={cookie}", "origin": self._service.origin}
        self._service.done("POST", BASE + REGISTRATION, body, credential, headers)

    def begin(self, path, person, credential):
        """Asks for the options of a response that goes to `path`; returns the passkey cookie, or nothing if refused."""
        response = self._service.call("GET", BASE + OPTIONS[path], None, credential)
        if response.status_code != 200:
            person.options.pop(path, None)
            return None
        person.options[path] = response.json()
        return response.cookies[COOKIE]

    def response(self, path, person, chance):
        """The response to the options that the person has asked for last."""
        options = person.options[path]
        verifies_user = chance.random() < SHARE_OF_VERIFIED
        if path == AUTHENTICATION:
            return person.authenticator.get(options, verifies_user)
        # Each is of another authenticator, so that what is not registered in the end is not signed in with.
        return PasskeyAuthenticator(self._service.origin).create(options, verifies_user)

    def id_of(self, person):
        """The id of a passkey of a person; one that nobody has if there is none."""
        listed = self._service.call("GET", f"{BASE}/passkey/list-user-passkeys", None, f"Bearer {person.token}")
        passkeys = listed.json() if listed.status_code == 200 else []
        return passkeys[0]["id"] if passkeys else "0" * 32
