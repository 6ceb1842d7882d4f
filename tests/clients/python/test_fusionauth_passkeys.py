"""Passkeys, with the real FusionAuth client for Python of a service, and a software authenticator at a browser."""

import pytest
from fusionauth.fusionauth_client import FusionAuthClient

from passkey_authenticator import PasskeyAuthenticator
from server import Server
from test_fusionauth_client import APPLICATION, PASSWORD, enrolled, log_in, new_user, refused, succeeds


@pytest.fixture
def server(tmp_path):
    """A server with a host name: authenticators know no passkeys of IP addresses."""
    with Server(tmp_path, host_name="localhost") as server:
        yield server


@pytest.fixture
def client(server):
    """The client of a service that may do everything."""
    return FusionAuthClient(server.api_key(), server.origin)


@pytest.fixture
def browser(server):
    """What a browser without a key of the service sends."""
    return FusionAuthClient(None, server.origin)


@pytest.fixture
def authenticator(server):
    """In pages of the server; without passkeys."""
    return PasskeyAuthenticator(server.origin)


def registered(client, user, authenticator):
    """A new passkey of a user."""
    request = {"userId": user["id"], "displayName": "Ada's laptop", "workflow": "general"}
    options = succeeds(client.start_web_authn_registration(request))["options"]
    complete = {"userId": user["id"], "credential": authenticator.create(options)}
    return succeeds(client.complete_web_authn_registration(complete))["credential"]


def asserted(client, authenticator, verifies_user=True, **who):
    """The response of a browser that uses a passkey of a user, or one that completes a challenge."""
    request = {"applicationId": APPLICATION, "workflow": "bootstrap"} | who
    options = succeeds(client.start_web_authn_login(request))["options"]
    return {"credential": authenticator.get(options, verifies_user)}


def test_a_passkey_is_registered_read_listed_logs_in_is_shown_and_is_deleted(client, browser, authenticator):
    user = new_user(client)
    passkey = registered(client, user, authenticator)
    assert succeeds(client.retrieve_web_authn_credential(passkey["id"])) == {"credential": passkey}
    assert succeeds(client.retrieve_web_authn_credentials_for_user(user["id"])) == {"credentials": [passkey]}

    login = asserted(client, authenticator, userId=user["id"])
    token = succeeds(browser.complete_web_authn_login(login))["token"]
    assert succeeds(client.validate_jwt(token))["jwt"]["sub"] == user["id"]
    refused(browser.complete_web_authn_login(login), 404)

    assertion = asserted(client, authenticator, loginId=user["email"])
    shown = succeeds(browser.complete_web_authn_assertion(assertion))["credential"]
    assert (shown["id"], shown["signCount"]) == (passkey["id"], 2)

    succeeds(client.delete_web_authn_credential(passkey["id"]))
    refused(client.retrieve_web_authn_credential(passkey["id"]), 404)
    registered(client, user, authenticator)
    succeeds(client.delete_web_authn_credentials_for_user(user["id"]))
    assert succeeds(client.retrieve_web_authn_credentials_for_user(user["id"])) == {"credentials": []}


def test_the_counter_of_a_passkey_of_one_device_has_to_rise(client, browser, authenticator):
    user = new_user(client)
    registered(client, user, authenticator)
    first = asserted(client, authenticator, userId=user["id"])
    second = asserted(client, authenticator, userId=user["id"])
    succeeds(browser.complete_web_authn_login(second))
    refused(browser.complete_web_authn_login(first), 400)


def test_a_passkey_completes_a_challenge_and_steps_up(client, browser, authenticator):
    user, app, _ = enrolled(client)
    registered(client, user, authenticator)
    present = asserted(client, authenticator, verifies_user=False, userId=user["id"])
    challenge = succeeds(browser.complete_web_authn_login(present), 242)
    succeeds(browser.two_factor_login({"twoFactorId": challenge["twoFactorId"], "code": app.next_code()}))

    challenge = succeeds(log_in(client), 242)
    assert [method["method"] for method in challenge["methods"]] == ["authenticator", "passkey"]
    response = {"twoFactorId": challenge["twoFactorId"]}
    completed = response | asserted(client, authenticator, verifies_user=False, **response)
    assert succeeds(browser.two_factor_login(completed))["user"]["id"] == user["id"]
    refused(browser.two_factor_login(completed), 404)

    begun = succeeds(client.start_two_factor_login({"userId": user["id"], "trustChallenge": "mine"}))
    response = {"twoFactorId": begun["twoFactorId"]}
    done = succeeds(browser.two_factor_login(response | asserted(client, authenticator, **response)))
    change = {"loginId": user["email"], "currentPassword": PASSWORD, "password": "another horse battery"}
    trusted = {"trustToken": done["trustToken"], "trustChallenge": "mine"}
    succeeds(client.change_password_by_identity(change | trusted))


def test_who_may_not_is_told_so(client, browser, authenticator):
    user = new_user(client)
    passkey = registered(client, user, authenticator)
    start = {"applicationId": APPLICATION, "workflow": "bootstrap", "userId": user["id"]}
    refused(browser.start_web_authn_login(start), 401)
    refused(browser.retrieve_web_authn_credential(passkey["id"]), 401)
    refused(browser.delete_web_authn_credential(passkey["id"]), 401)
    refused(client.start_web_authn_login(start | {"userId": "00000000-0000-4000-8000-000000000000"}), 404)
    errors = refused(client.start_web_authn_registration({}), 400)["fieldErrors"]
    assert errors["userId"][0]["code"] == "[missing]userId"
    errors = refused(client.start_web_authn_login({}), 400)["fieldErrors"]
    assert set(errors) == {"applicationId", "workflow"}
