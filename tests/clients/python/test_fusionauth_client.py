"""The way of a person through two-factor authentication, with the real FusionAuth client for Python."""

import time

import pytest
from fusionauth.fusionauth_client import FusionAuthClient

from authenticator import Authenticator

PASSWORD = "correct horse battery staple"
APPLICATION = "c0de0000-0000-4000-8000-000000000002"
# The kind of action that locks a user.
LOCK = "c0de0000-0000-4000-8000-000000000009"


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
    """Checks that a call was refused with this status; returns the body of a 400, or else the response."""
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


def ended(client, login):
    """Checks that the refresh token of a login is good no more."""
    refused(client.exchange_refresh_token_for_jwt({"refreshToken": login["refreshToken"]}), 404)


def test_refresh_tokens_are_listed_and_revoked_and_logging_out_ends_one_or_all(client):
    user = new_user(client)
    first = succeeds(log_in(client))
    (listed,) = succeeds(client.retrieve_refresh_tokens(user["id"]))["refreshTokens"]
    assert listed["id"] == first["refreshTokenId"] and "token" not in listed
    shown = succeeds(client.retrieve_refresh_token_by_id(first["refreshTokenId"]))["refreshToken"]
    assert shown["userId"] == user["id"]
    for revoke in (
        lambda login: client.revoke_refresh_token_by_id(login["refreshTokenId"]),
        lambda login: client.revoke_refresh_token_by_token(login["refreshToken"]),
        lambda login: client.revoke_refresh_tokens_with_request({"token": login["refreshToken"]}),
        lambda _: client.revoke_refresh_tokens_by_user_id(user["id"]),
        lambda _: client.revoke_refresh_tokens_by_user_id_for_application(user["id"], APPLICATION),
        lambda _: client.revoke_refresh_tokens_by_application_id(APPLICATION),
        lambda login: client.logout(False, login["refreshToken"]),
        lambda login: client.logout_with_request({"refreshToken": login["refreshToken"]}),
    ):
        login = succeeds(log_in(client))
        succeeds(revoke(login))
        ended(client, login)
    both = [succeeds(log_in(client)), succeeds(log_in(client))]
    succeeds(client.logout(True, both[0]["refreshToken"]))
    for login in both:
        ended(client, login)


def test_users_are_found_by_their_ids_and_by_their_names(client):
    user = new_user(client)
    unknown = "01a1fd04-be02-75f5-bdbd-868b7959e05d"
    for find in (client.search_users_by_ids, client.search_users):
        found = succeeds(find([user["id"], unknown]))
        assert ([one["id"] for one in found["users"]], found["total"]) == ([user["id"]], 1)
    for query, total in (("*", 1), ("ada@example.com", 1), ("email:ada*", 1), ("username:ada*", 0)):
        found = succeeds(client.search_users_by_query_string({"search": {"queryString": query, "numberOfResults": 10}}))
        assert found["total"] == len(found["users"]) == total, query
    errors = refused(client.search_users_by_query({"search": {"query": '{"match_all": {}}'}}), 400)["fieldErrors"]
    assert errors["search.query"][0]["code"] == "[notSupported]search.query"


def test_a_registration_is_read_changed_and_deleted(client):
    user = new_user(client)
    registration = succeeds(client.retrieve_registration(user["id"], APPLICATION))["registration"]
    fields = {"applicationId": APPLICATION, "username": "ada"}
    updated = succeeds(client.update_registration(user["id"], {"registration": fields}))["registration"]
    assert (updated["id"], updated["username"]) == (registration["id"], "ada")
    patch = {"applicationId": APPLICATION, "data": {"level": 1}}
    patched = succeeds(client.patch_registration(user["id"], {"registration": patch}))["registration"]
    assert (patched["username"], patched["data"]) == ("ada", {"level": 1})
    login = succeeds(log_in(client))
    succeeds(client.delete_registration(user["id"], APPLICATION))
    refused(client.retrieve_registration(user["id"], APPLICATION), 404)
    ended(client, login)


def test_a_user_is_locked_until_some_time_and_unlocked(client):
    user = new_user(client)
    expiry = int(time.time() * 1000) + 3_600_000
    action = {"actioneeUserId": user["id"], "actionerUserId": user["id"], "userActionId": LOCK, "expiry": expiry}
    taken = succeeds(client.action_user({"action": action}))["action"]
    (shown,) = refused(log_in(client), 409).json()["actions"]
    assert shown["expiry"] == expiry
    for listing in (client.retrieve_actions, client.retrieve_active_actions, client.retrieve_actions_preventing_login):
        assert succeeds(listing(user["id"]))["actions"] == [taken]
    changed = succeeds(client.modify_action(taken["id"], {"action": {"expiry": expiry + 1000}}))["action"]
    assert changed == succeeds(client.retrieve_action(taken["id"]))["action"]
    succeeds(client.cancel_action(taken["id"], {"action": {"comment": "let in"}}))
    refused(client.retrieve_action(taken["id"]), 404)
    succeeds(log_in(client))


def mailed(server, count=1):
    """What the newest link to the user carries."""
    return server.mailed_link("ada@example.com", count).rpartition("/")[2]


def test_ids_and_codes_that_are_mailed(client, server):
    user = new_user(client)
    stranger = FusionAuthClient(None, server.origin)
    succeeds(stranger.forgot_password({"loginId": user["email"]}))
    found = mailed(server)
    succeeds(stranger.check_change_password_using_id(found))
    changed = succeeds(stranger.change_password(found, {"password": "another horse battery"}))
    refused(stranger.check_change_password_using_id(found), 404)
    succeeds(client.login({"oneTimePassword": changed["oneTimePassword"], "applicationId": APPLICATION}))
    unmailed = {"loginId": user["email"], "sendForgotPasswordEmail": False}
    found = succeeds(client.forgot_password(unmailed))["changePasswordId"]
    succeeds(stranger.change_password(found, {"password": PASSWORD}))
    refused(client.forgot_password({"loginId": "nobody@example.com"}), 404)

    for count, email in enumerate(["bob@example.com", "carl@example.com", "dora@example.com", "eve@example.com"]):
        other = succeeds(client.create_user({"user": {"email": email, "password": PASSWORD}}))["user"]
        if count == 0:
            succeeds(stranger.resend_email_verification(email))
            verified = stranger.verify_email(server.mailed_link(email).rpartition("/")[2])
        elif count == 1:
            succeeds(client.resend_email_verification_with_application_template(APPLICATION, email))
            found = server.mailed_link(email).rpartition("/")[2]
            verified = stranger.verify_email_address({"verificationId": found})
        elif count == 2:
            found = succeeds(client.generate_email_verification_id(email))["verificationId"]
            verified = stranger.verify_email(found)
        else:
            verified = client.verify_email_address_by_user_id({"userId": other["id"]})
        succeeds(verified)
        assert succeeds(client.retrieve_user(other["id"]))["user"]["verified"]

    start = {"applicationId": APPLICATION, "loginId": user["email"], "state": {"page": 7}}
    code = succeeds(client.start_passwordless_login(start))["code"]
    succeeds(stranger.send_passwordless_code({"code": code}))
    refused(stranger.passwordless_login({"code": code}), 404)
    code = mailed(server, 2)
    assert succeeds(stranger.passwordless_login({"code": code}))["state"] == {"page": 7}
    refused(stranger.passwordless_login({"code": code}), 404)
