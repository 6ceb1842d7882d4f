"""The way of a person through two-factor authentication, with the real FusionAuth client for Python."""

import pytest
from fusionauth.fusionauth_client import FusionAuthClient

from authenticator import Authenticator

PASSWORD = "correct horse battery staple"
APPLICATION = "c0de0000-0000-4000-8000-000000000002"


@pytest.fixture
def client(server):
    """The client of a service that may do everything."""
    return FusionAuthClient(server.api_key(), server.origin)


def succeeds(response, status=200):
    """Checks that a call succeeded with this status; returns what was answered."""
    assert response.was_successful(), (response.status, response.error_response)
    assert response.status == status
    return response.success_response


def refused(response, status):
    """Checks that a call was refused with this status; returns the body of a 400."""
    assert not response.was_successful(), response.success_response
    assert response.status == status
    return response.error_response


def new_user(client):
    """A user who was just made and registered."""
    user = succeeds(client.create_user({"user": {"email": "ada@example.com", "password": PASSWORD}}))["user"]
    succeeds(client.register({"registration": {"applicationId": APPLICATION}}, user["id"]))
    return user


def log_in(client, **more):
    """The response to a password."""
    return client.login({"loginId": "ada@example.com", "password": PASSWORD, "applicationId": APPLICATION} | more)


def enrolled(client):
    """A user with an authenticator app: the user, the app, and the recovery codes."""
    user = new_user(client)
    secret = succeeds(client.generate_two_factor_secret())
    app = Authenticator.of(secret["secretBase32Encoded"])
    request = {"method": "authenticator", "secretBase32Encoded": secret["secretBase32Encoded"], "code": app.next_code()}
    codes = succeeds(client.enable_two_factor(user["id"], request))["recoveryCodes"]
    assert len(codes) == 10
    return user, app, codes


def test_a_user_without_a_second_factor_logs_in_at_once(client):
    user = new_user(client)
    succeeds(client.retrieve_two_factor_status(user["id"], None, None))
    token = succeeds(log_in(client))["token"]
    assert succeeds(client.validate_jwt(token))["jwt"]["sub"] == user["id"]


def test_codes_of_every_kind_answer_and_wrong_ones_do_not(client, server):
    user, app, codes = enrolled(client)
    succeeds(client.retrieve_two_factor_status(user["id"], None, None), 242)

    challenge = succeeds(log_in(client), 242)
    assert "user" not in challenge and "token" not in challenge
    response = {"twoFactorId": challenge["twoFactorId"]}
    refused(client.two_factor_login(response | {"code": "wrong"}), 421)
    done = succeeds(client.two_factor_login(response | {"code": app.next_code(), "trustComputer": True}))
    trust = done["twoFactorTrustId"]
    refused(client.two_factor_login(response | {"code": "123456"}), 404)
    succeeds(log_in(client, twoFactorTrustId=trust))
    succeeds(client.retrieve_two_factor_status(user["id"], None, trust))

    succeeds(client.send_two_factor_code_for_enable_disable({"userId": user["id"], "method": "email", "email": user["email"]}))
    code = server.mailed_code(user["email"])
    succeeds(client.enable_two_factor(user["id"], {"method": "email", "email": user["email"], "code": code}))
    challenge = succeeds(log_in(client), 242)
    (email,) = [method for method in challenge["methods"] if method["method"] == "email"]
    succeeds(client.send_two_factor_code_for_login_using_method(challenge["twoFactorId"], {"methodId": email["id"]}))
    code = server.mailed_code(user["email"])
    succeeds(client.two_factor_login({"twoFactorId": challenge["twoFactorId"], "code": code}))

    telephone = {"method": "sms", "mobilePhone": "+15550100199"}
    succeeds(client.send_two_factor_code_for_enable_disable({"userId": user["id"]} | telephone))
    code = server.mailed_code(telephone["mobilePhone"])
    succeeds(client.enable_two_factor(user["id"], telephone | {"code": code}))
    challenge = succeeds(log_in(client), 242)
    (sms,) = [method for method in challenge["methods"] if method["method"] == "sms"]
    succeeds(client.send_two_factor_code_for_login_using_method(challenge["twoFactorId"], {"methodId": sms["id"]}))
    code = server.mailed_code(telephone["mobilePhone"])
    succeeds(client.two_factor_login({"twoFactorId": challenge["twoFactorId"], "code": code}))

    challenge = succeeds(log_in(client), 242)
    succeeds(client.two_factor_login({"twoFactorId": challenge["twoFactorId"], "code": codes[0]}))
    challenge = succeeds(log_in(client), 242)
    refused(client.two_factor_login({"twoFactorId": challenge["twoFactorId"], "code": codes[0]}), 421)

    succeeds(client.generate_two_factor_recovery_codes(user["id"]))
    assert succeeds(client.retrieve_two_factor_recovery_codes(user["id"])) == {"recoveryCodes": []}


def test_stepping_up_changes_the_password_and_disabling_ends_it(client):
    user, app, _ = enrolled(client)
    begun = succeeds(client.start_two_factor_login({"userId": user["id"], "trustChallenge": "mine"}))
    done = succeeds(client.two_factor_login({"twoFactorId": begun["twoFactorId"], "code": begun["code"]}))
    change = {"loginId": user["email"], "currentPassword": PASSWORD, "password": "another horse battery"}
    (error,) = refused(client.change_password_by_identity(change), 400)["generalErrors"]
    assert error["code"] == "[TrustTokenRequired]"
    trusted = {"trustToken": done["trustToken"], "trustChallenge": "mine"}
    succeeds(client.change_password_by_identity(change | trusted))

    (method,) = succeeds(client.retrieve_user(user["id"]))["user"]["twoFactor"]["methods"]
    refused(client.disable_two_factor(user["id"], method["id"], "000000"), 421)
    succeeds(client.disable_two_factor(user["id"], method["id"], app.next_code()))
    succeeds(log_in(client, password="another horse battery"))


def test_who_may_not_is_told_so(client, server):
    user = new_user(client)
    refused(FusionAuthClient("not a key", server.origin).retrieve_user(user["id"]), 401)
    refused(log_in(client, password="wrong"), 404)
    errors = refused(client.login({}), 400)["fieldErrors"]
    assert errors["loginId"][0]["code"] == "[blank]loginId"
    refused(client.retrieve_user("00000000-0000-4000-8000-000000000000"), 404)
