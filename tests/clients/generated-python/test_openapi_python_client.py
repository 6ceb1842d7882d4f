"""Accounts of both dialects with the clients that openapi-python-client makes, and how far that goes."""

import httpx
import pytest

PASSWORD = "correct horse battery staple"
EMAIL = "ada@example.com"


def test_better_auth_a_second_factor_is_set_up_and_passed(better_auth, server):
    models = better_auth.models
    signed_up = httpx.post(f"{server.host}/sign-up/email", json={"name": "Ada", "email": EMAIL, "password": PASSWORD}).json()

    def call(operation, token, **named):
        client = better_auth.client.AuthenticatedClient(base_url=server.host, token=token)
        return better_auth.call(operation, client=client, **named)

    enable = models.TwoFactorEnablePostRequest(password=PASSWORD)
    enabled = call("two_factor.two_factor_enable_post", signed_up["token"], body=enable).parsed
    assert call("two_factor.two_factor_send_otp_post", signed_up["token"]).status_code == 200
    verify = models.TwoFactorVerifyOtpPostRequest(code=server.mailed_code(EMAIL))
    confirmed = call("two_factor.two_factor_verify_otp_post", signed_up["token"], body=verify).parsed
    assert confirmed.user.two_factor_enabled

    challenge = httpx.post(f"{server.host}/sign-in/email", json={"email": EMAIL, "password": PASSWORD}).json()
    backup = models.TwoFactorVerifyBackupCodePostRequest(code=enabled.backup_codes[0])
    signed_in = call("two_factor.two_factor_verify_backup_code_post", challenge["twoFactorToken"], body=backup).parsed
    assert call("default.get_session", signed_in.token).parsed.user.id == signed_up["user"]["id"]
    refused = call("default.list_user_sessions", "no token")
    assert (refused.status_code, refused.parsed.code) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("operation", ["default.sign_up_with_email_and_password", "default.sign_in_email"])
def test_better_auth_it_cannot_import_operations_with_two_kinds_of_body(better_auth, operation):
    # The body may be JSON or a form, and the generated module uses a name that it does not import. README.md says so: when
    # this test fails, the limit is gone.
    with pytest.raises(NameError, match="Unset"):
        better_auth.call(operation)


def test_fusionauth_it_cannot_read_a_242(fusionauth, server):
    models = fusionauth.models
    client = fusionauth.client.AuthenticatedClient(base_url=server.origin, token=server.api_key(), prefix="")
    user = models.UserFields(email=EMAIL, password=PASSWORD)
    created = fusionauth.call("users.create_user", client=client, body=models.UserRequest(user=user)).parsed
    send = models.TwoFactorSendRequest(user_id=created.user.id, method="email", email=EMAIL)
    assert fusionauth.call("two_factor.send_two_factor_code_for_enable_disable", client=client, body=send).status_code == 200
    method = models.TwoFactorRequest(method="email", email=EMAIL, code=server.mailed_code(EMAIL))
    enabled = fusionauth.call("methods.enable_two_factor", created.user.id, client=client, body=method).parsed
    assert len(enabled.recovery_codes) == 10

    # Python's HTTPStatus has no such member, and openapi-python-client makes one of every status. README.md says so:
    # when this test fails, the limit is gone.
    login = models.LoginRequest(login_id=EMAIL, password=PASSWORD)
    with pytest.raises(ValueError, match="242 is not a valid HTTPStatus"):
        fusionauth.call("login.login", client=client, body=login)
