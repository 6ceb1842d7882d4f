"""Passkeys of FusionAuth's dialect: ceremonies under way, and responses that fit them."""

import secrets
import uuid

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fido2.utils import websafe_encode

from passkey_authenticator import PasskeyAuthenticator

APPLICATION = "c0de0000-0000-4000-8000-000000000002"
RELYING_PARTY = "localhost"

# Holding a key is one factor; with a PIN, a finger or a face it is two.
SHARE_OF_VERIFIED = 0.7

WORKFLOWS_OF_LOGINS = ("bootstrap", "reauthentication")
WORKFLOWS_OF_REGISTRATIONS = ("general", *WORKFLOWS_OF_LOGINS)

# ES256 of the IANA COSE Algorithms registry.
ES256 = -7


class Passkeys:
    """Begins ceremonies as a service, and has authenticators respond."""

    def __init__(self, service):
        self._service = service

    def give(self, user):
        """Registers a passkey for a user."""
        user.authenticator = PasskeyAuthenticator(self._service.origin)
        body = {"userId": user.id, "credential": user.authenticator.create(self._registration_options(user))}
        registered = self._service.done("POST", "/api/webauthn/register/complete", body).json()
        user.passkey_id = registered["credential"]["id"]

    def fitting(self, case_id, user, chance):
        """Values that can succeed, by place and name."""
        responses = {
            "completeWebAuthnRegistration": self._created,
            "completeWebAuthnLogin": self.asserted,
            "completeWebAuthnAssertion": self.asserted,
        }
        workflows = WORKFLOWS_OF_REGISTRATIONS if case_id == "startWebAuthnRegistration" else WORKFLOWS_OF_LOGINS
        fitting = {
            ("path_parameters", "id"): lambda: self._id_of(user),
            ("body", "displayName"): lambda: "My laptop",
            ("body", "workflow"): lambda: chance.choice(workflows),
            ("body", "credentialId"): lambda: chance.choice((None, self._id_of(user))),
            ("body", "credentials"): lambda: [self._of_another_server(user)],
        }
        if case_id in responses:
            fitting["body", "credential"] = lambda: responses[case_id](user, chance)
        return fitting

    def _created(self, user, chance):
        """The response to options for a new passkey; nothing if there are none."""
        options = self._registration_options(user)
        # Each is of another authenticator, so that what is not registered in the end is not logged in with.
        authenticator = PasskeyAuthenticator(self._service.origin)
        return options and authenticator.create(options, chance.random() < SHARE_OF_VERIFIED)

    def asserted(self, user, chance, two_factor_id=None):
        """The response to options for logging in, or for a challenge; nothing if there are none."""
        who = {"twoFactorId": two_factor_id} if two_factor_id else {"userId": user.id, "state": {"page": 7}}
        body = {"applicationId": APPLICATION, "workflow": "bootstrap"} | who
        options = self._options("/api/webauthn/start", body)
        return options and user.authenticator.get(options, chance.random() < SHARE_OF_VERIFIED)

    def _of_another_server(self, user):
        """A passkey that a user has brought along."""
        public_key = ec.generate_private_key(ec.SECP256R1()).public_key()
        return {
            "userId": user.id,
            "credentialId": websafe_encode(secrets.token_bytes(32)),
            "publicKey": public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
            "algorithm": ES256,
            "relyingPartyId": RELYING_PARTY,
            "name": user.email,
            "displayName": "My laptop",
        }

    def _id_of(self, user):
        """The id of a user's passkey; one that nobody has if there is none."""
        return user.passkey_id or str(uuid.uuid4())

    def _registration_options(self, user):
        return self._options("/api/webauthn/register/start", {"userId": user.id, "displayName": "My laptop", "workflow": "general"})

    def _options(self, path, body):
        response = self._service.call("POST", path, body, self._service.api_key)
        return response.json()["options"] if response.status_code == 200 else None
