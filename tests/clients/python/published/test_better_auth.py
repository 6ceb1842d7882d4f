"""The way of a person through two-factor authentication, with the package `better-auth` of PyPI: its own classes, models and
exceptions, none of ours.

It keeps no cookies, names no origin, and takes a response for wrong if its models find a field missing.
"""

import datetime
from urllib.parse import parse_qs, urlsplit

import better_auth
import pytest
from better_auth.exceptions import BadRequestException, ForbiddenException, NotFoundException, UnauthorizedException

from authenticator import Authenticator

PASSWORD = "correct horse battery staple"
EMAIL = "ada@example.com"


def test_the_package_is_the_published_one():
    assert better_auth.__version__ == "0.0.1-beta13"
    assert "site-packages" in better_auth.__file__


class Api:
    """What a caller does with the package, with a token or without one."""

    def __init__(self, server):
        self._server = server

    def _client(self, access_token):
        configuration = better_auth.Configuration(host=self._server.host, access_token=access_token)
        return better_auth.ApiClient(configuration)

    def accounts(self, access_token=None):
        return better_auth.DefaultApi(self._client(access_token))

    def two_factor(self, access_token=None):
        return better_auth.TwoFactorApi(self._client(access_token))

    def sign_up(self):
        """Makes an account; returns the token of its first session."""
        request = better_auth.SignUpWithEmailAndPasswordRequest(name="Ada", email=EMAIL, password=PASSWORD)
        signed_up = self.accounts().sign_up_with_email_and_password(request)
        assert signed_up.user.email == EMAIL
        return signed_up.token

    def sign_in(self, **more):
        request = better_auth.SignInEmailRequest(email=EMAIL, password=PASSWORD, **more)
        signed_in = self.accounts().sign_in_email(request)
        assert type(signed_in) is better_auth.SignInEmail200Response
        return signed_in

    def session(self, access_token):
        return self.accounts(access_token).get_session()

    def enrol(self, first_token=None):
        """Sets an app up, after signing up if there is no token; returns the token, the app and the backup codes."""
        first_token = first_token or self.sign_up()
        enabled = self.two_factor(first_token).two_factor_enable_post(
            better_auth.TwoFactorEnablePostRequest(password=PASSWORD, issuer="Example Shop")
        )
        assert "issuer=Example%20Shop" in enabled.totp_uri
        assert len(set(enabled.backup_codes)) == 10
        app = Authenticator(enabled.totp_uri)
        return self.verify_totp(first_token, app), app, enabled.backup_codes

    def verify_totp(self, access_token, app, **more):
        """Gives a code of the app; returns the token that the response carries in a header, as the model has none."""
        request = better_auth.TwoFactorVerifyTotpPostRequest(code=app.next_code(), **more)
        verified = self.two_factor(access_token).two_factor_verify_totp_post_with_http_info(request)
        assert verified.data.status is True
        return verified.headers["set-auth-token"]

    def challenge(self):
        """Gives the right password; returns the token of the challenge."""
        challenge = self.sign_in()
        assert challenge.user.id is None, "nobody has signed in"
        assert self.session(challenge.token) is None
        return challenge.token


def token_of(link):
    """The token of a link whose query has it."""
    return parse_qs(urlsplit(link).query)["token"][0]


@pytest.fixture
def api(server):
    return Api(server)


def test_an_account_without_a_second_factor(api):
    token = api.sign_up()
    session = api.session(token)
    assert type(session) is better_auth.GetSession200Response
    assert (session.user.email, session.session.token) == (EMAIL, token)
    assert session.session.expires_at - session.session.created_at == datetime.timedelta(days=7)
    assert api.accounts(token).sign_out(body={}).success is True
    assert api.session(token) is None
    signed_in = api.sign_in()
    assert (signed_in.redirect, signed_in.url) == (False, None)
    assert api.session(signed_in.token).user.id == signed_in.user.id == session.user.id


@pytest.mark.parametrize(("remember_me", "lifetime"), [("false", 1), ("true", 7), (None, 7)])
def test_the_choice_to_be_remembered_is_a_word(api, remember_me, lifetime):
    api.sign_up()
    session = api.session(api.sign_in(remember_me=remember_me).token).session
    assert session.expires_at - session.created_at == datetime.timedelta(days=lifetime)


def test_a_challenge_is_told_by_its_user(api):
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(milliseconds=1)
    api.enrol()
    challenge = api.sign_in(remember_me="false")
    assert (challenge.redirect, challenge.url) == (False, None)
    assert challenge.token.startswith("2fa-")
    user = challenge.user
    assert (user.id, user.name, user.email, user.image) == (None, "", EMAIL, None)
    assert (user.email_verified, user.two_factor_enabled) == (False, True)
    assert before <= user.created_at == user.updated_at <= datetime.datetime.now(datetime.timezone.utc)
    assert api.session(challenge.token) is None
    with pytest.raises(UnauthorizedException) as caught:
        api.two_factor(challenge.token).two_factor_disable_post(
            better_auth.TwoFactorGetTotpUriPostRequest(password=PASSWORD)
        )
    assert caught.value.status == 401


def test_a_challenge_is_passed_by_the_app(api):
    _, app, _ = api.enrol()
    challenge = api.challenge()
    token = api.verify_totp(challenge, app)
    session = api.session(token)
    assert (session.user.email, session.user.two_factor_enabled) == (EMAIL, True)
    with pytest.raises(UnauthorizedException):
        api.verify_totp(challenge, app)
    # The choice of the password step holds without a cookie.
    token = api.verify_totp(api.sign_in(remember_me="false").token, app, trust_device=False)
    session = api.session(token).session
    assert session.expires_at - session.created_at == datetime.timedelta(days=1)


def test_a_challenge_is_passed_by_a_mailed_code(api, server):
    api.enrol()
    challenge = api.challenge()
    assert api.two_factor(challenge).two_factor_send_otp_post().status is True
    request = better_auth.TwoFactorVerifyOtpPostRequest(code=server.mailed_code(EMAIL), trust_device=True)
    verified = api.two_factor(challenge).two_factor_verify_otp_post(request)
    assert api.session(verified.token).user.id == verified.user.id


def test_a_challenge_is_passed_by_a_backup_code(api):
    _, _, codes = api.enrol()
    challenge = api.challenge()
    request = better_auth.TwoFactorVerifyBackupCodePostRequest(code=codes[0])
    verified = api.two_factor(challenge).two_factor_verify_backup_code_post(request)
    assert verified.session.user_id == verified.user.id
    assert api.session(verified.session.token).user.id == verified.user.id
    with pytest.raises(UnauthorizedException) as caught:
        api.two_factor(api.challenge()).two_factor_verify_backup_code_post(request)
    assert '"code":"INVALID_BACKUP_CODE"' in caught.value.body


def test_a_backup_code_is_checked_without_a_session(api):
    _, _, codes = api.enrol()
    challenge = api.challenge()
    request = better_auth.TwoFactorVerifyBackupCodePostRequest(code=codes[0], disable_session=True)
    verified = api.two_factor(challenge).two_factor_verify_backup_code_post(request)
    assert (verified.user.email, verified.session.token) == (EMAIL, "")
    assert verified.session.user_id == verified.user.id
    assert verified.session.created_at == verified.session.expires_at < verified.user.created_at
    for token in ("", challenge):
        assert api.session(token) is None


def test_the_second_factor_is_shown_renewed_and_switched_off(api):
    token, app, codes = api.enrol()
    password = better_auth.TwoFactorGetTotpUriPostRequest(password=PASSWORD)
    shown = api.two_factor(token).two_factor_get_totp_uri_post(password)
    assert Authenticator(shown.totp_uri)._key == app._key
    request = better_auth.TwoFactorGenerateBackupCodesPostRequest(password=PASSWORD)
    renewed = api.two_factor(token).two_factor_generate_backup_codes_post(request)
    assert renewed.status is True
    assert len(set(renewed.backup_codes)) == 10 and not set(renewed.backup_codes) & set(codes)
    disabled = api.two_factor(token).two_factor_disable_post_with_http_info(password)
    assert disabled.data.status is True
    assert api.session(token) is None
    assert api.session(disabled.headers["set-auth-token"]).user.two_factor_enabled is False
    assert api.sign_in().user.two_factor_enabled is False


def test_refusals_are_its_exceptions(api):
    token, _, _ = api.enrol()
    wrong = better_auth.TwoFactorGetTotpUriPostRequest(password="wrong")
    for method in ("two_factor_get_totp_uri_post", "two_factor_disable_post"):
        with pytest.raises(BadRequestException) as caught:
            getattr(api.two_factor(token), method)(wrong)
        assert caught.value.status == 400
        assert caught.value.data.message == "Invalid password"
    with pytest.raises(UnauthorizedException) as caught:
        api.two_factor(token).two_factor_verify_totp_post(better_auth.TwoFactorVerifyTotpPostRequest(code="abcdef"))
    assert caught.value.data.message == "Invalid code"
    with pytest.raises(UnauthorizedException):
        api.two_factor().two_factor_send_otp_post()
    with pytest.raises(UnauthorizedException):
        api.accounts().sign_in_email(better_auth.SignInEmailRequest(email=EMAIL, password="wrong"))
    with pytest.raises(BadRequestException):
        api.accounts().sign_in_email(better_auth.SignInEmailRequest(email="nobody", password=PASSWORD))
    with pytest.raises(BadRequestException) as caught:
        api.two_factor(token).two_factor_verify_otp_post(better_auth.TwoFactorVerifyOtpPostRequest(code="123456"))
    assert caught.value.data.message == "OTP has expired"


def test_a_session_without_a_second_factor_is_forbidden_to_manage_it(api):
    first = api.sign_up()
    older = api.sign_in().token
    api.enrol(first)
    password = better_auth.TwoFactorGetTotpUriPostRequest(password=PASSWORD)
    with pytest.raises(ForbiddenException) as caught:
        api.two_factor(older).two_factor_disable_post(password)
    assert caught.value.status == 403
    assert '"code":"SECOND_FACTOR_REQUIRED"' in caught.value.body
    assert "second factor" in caught.value.data.message


def test_own_account(api, server):
    token = api.sign_up()
    accounts = api.accounts(token)

    # The address is verified by a link, which shows the user, with a session and without one.
    request = better_auth.SendVerificationEmailRequest(email=EMAIL)
    assert accounts.send_verification_email(request).status is True
    verified = api.accounts().verify_email_get(token_of(server.mailed_link(EMAIL)))
    assert (verified.status, verified.user.email, verified.user.email_verified) == (True, EMAIL, True)
    assert verified.user.id == api.session(token).user.id
    with pytest.raises(BadRequestException):
        accounts.send_verification_email(request)
    with pytest.raises(UnauthorizedException):
        accounts.verify_email_get("nonsense")

    # Name and picture.
    update = better_auth.UpdateUserRequest(name="Countess", image="https://example.com/ada.png")
    accounts.update_user(update)
    user = api.session(token).user
    assert (user.name, user.image) == ("Countess", "https://example.com/ada.png")

    [account] = accounts.list_user_accounts()
    assert (account.provider_id, account.user_id, account.scopes) == ("credential", user.id, [])

    # Another address, and the way back.
    new = "countess@example.com"
    changed = accounts.change_email(better_auth.ChangeEmailRequest(new_email=new))
    assert (changed.status, changed.message) == (True, None)
    followed = accounts.verify_email_get(token_of(server.mailed_link(new)))
    assert (followed.user.id, followed.user.email, followed.user.email_verified) == (user.id, new, True)
    assert api.session(token).user.email == new
    restored = api.accounts().verify_email_get(token_of(server.mailed_link(EMAIL, 2)))
    assert (restored.user.id, restored.user.email) == (user.id, EMAIL)
    assert api.session(token) is None

    # It has no password any more; a link sets the next one.
    with pytest.raises(UnauthorizedException):
        api.sign_in()
    asked = api.accounts().forget_password(better_auth.ForgetPasswordRequest(email=EMAIL))
    assert asked.status is True
    reset_token = urlsplit(server.mailed_link(EMAIL, 3)).path.rsplit("/", 1)[1]
    reset = better_auth.ResetPasswordRequest(new_password="short", token=reset_token)
    with pytest.raises(BadRequestException) as caught:
        api.accounts().reset_password(reset)
    assert '"code":"PASSWORD_TOO_SHORT"' in caught.value.body
    reset.new_password = PASSWORD
    assert api.accounts().reset_password(reset).status is True
    with pytest.raises(BadRequestException):
        api.accounts().reset_password(reset)

    # The end, by a link and by the password.
    token = api.sign_in().token
    sent = api.accounts(token).delete_user(better_auth.DeleteUserRequest())
    assert (sent.success, sent.message) == (True, "Verification email sent")
    link = server.mailed_link(EMAIL, 4)
    with pytest.raises(NotFoundException):
        api.accounts(token).delete_user_callback_get("nonsense")
    deleted = api.accounts(token).delete_user_callback_get(token_of(link))
    assert (deleted.success, deleted.message) == (True, "User deleted")
    assert api.session(token) is None
    token = api.sign_up()
    with pytest.raises(BadRequestException):
        api.accounts(token).delete_user(better_auth.DeleteUserRequest(password="wrong"))
    deleted = api.accounts(token).delete_user(better_auth.DeleteUserRequest(password=PASSWORD))
    assert (deleted.success, deleted.message) == (True, "User deleted")
    with pytest.raises(UnauthorizedException):
        api.sign_in()
