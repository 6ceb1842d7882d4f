"""An authenticator (WebAuthn) and the browser that asks it. Their data are encoded by Yubico's library."""

import secrets
from dataclasses import dataclass
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_decode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    RegistrationResponse,
)

FLAG = AuthenticatorData.FLAG


@dataclass
class Passkey:
    """A key pair, for one relying party and one of its users."""

    relying_party: str
    user_handle: bytes
    key: ec.EllipticCurvePrivateKey
    counter: int = 0


class PasskeyAuthenticator:
    """Makes keys of ES256 that stay on it, in pages of one origin. Options and responses are those of browsers, as JSON."""

    def __init__(self, origin):
        self._origin = origin
        self._passkeys = {}

    def create(self, options, verifies_user=True):
        """The response of `navigator.credentials.create()`."""
        passkey = Passkey(options["rp"]["id"], websafe_decode(options["user"]["id"]), ec.generate_private_key(ec.SECP256R1()))
        credential_id = secrets.token_bytes(32)
        self._passkeys[credential_id] = passkey
        public_key = ES256.from_cryptography_key(passkey.key.public_key())
        attested = AttestedCredentialData.create(Aaguid.NONE, credential_id, public_key)
        data = self._data(passkey, flags(verifies_user) | FLAG.AT, attested)
        client_data = CollectedClientData.create("webauthn.create", options["challenge"], self._origin)
        attestation = AttestationObject.create("none", data, {})
        response = AuthenticatorAttestationResponse(client_data=client_data, attestation_object=attestation)
        return dict(RegistrationResponse(raw_id=credential_id, response=response))

    def get(self, options, verifies_user=True):
        """The response of `navigator.credentials.get()`, by the newest passkey that the options ask for; nothing if there is none."""
        allowed = [websafe_decode(descriptor["id"]) for descriptor in options.get("allowCredentials", [])]
        held = [id for id, passkey in self._passkeys.items() if passkey.relying_party == options["rpId"]]
        credential_id = next((id for id in reversed(held) if not allowed or id in allowed), None)
        if credential_id is None:
            return None
        passkey = self._passkeys[credential_id]
        passkey.counter += 1
        data = self._data(passkey, flags(verifies_user))
        client_data = CollectedClientData.create("webauthn.get", options["challenge"], self._origin)
        response = AuthenticatorAssertionResponse(
            client_data=client_data,
            authenticator_data=data,
            signature=passkey.key.sign(data + client_data.hash, ec.ECDSA(SHA256())),
            user_handle=passkey.user_handle,
        )
        return dict(AuthenticationResponse(raw_id=credential_id, response=response))

    def _data(self, passkey, flags, attested=b""):
        relying_party = sha256(passkey.relying_party.encode()).digest()
        return AuthenticatorData.create(relying_party, flags, passkey.counter, attested)


def flags(verifies_user):
    """Somebody is there; with PIN, finger or face it is the user."""
    return FLAG.UP | FLAG.UV if verifies_user else FLAG.UP
