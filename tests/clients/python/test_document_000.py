"""The published page of the generated Python client holds for a client generated from our contract.

First the names that the page shows, then its samples as they are printed, run one after the other against the real
server, then the same calls in other circumstances.
"""

import contextlib
import datetime
import importlib
import inspect
import io
import os
import re

import pytest

from authenticator import Authenticator
from document_000 import CLASS, DEFAULT_HOST, MODULES, OPERATIONS, STATUSES
from server import REPOSITORY

PASSWORD = "correct horse battery staple"
EMAIL = "ada@example.com"


# The names.


def test_the_class_has_the_eight_operations_and_no_others(better_auth):
    plain = {
        name
        for name, _ in inspect.getmembers(getattr(better_auth, CLASS), inspect.isfunction)
        if not name.startswith("_") and not name.endswith(("_with_http_info", "_without_preload_content"))
    }
    assert plain == {operation.method for operation in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_the_signature_is_as_shown(better_auth, operation):
    signature = inspect.signature(getattr(getattr(better_auth, CLASS), operation.method))
    public = [parameter for name, parameter in signature.parameters.items() if name != "self" and name[0] != "_"]
    if operation.argument is None:
        assert all(parameter.default is not inspect.Parameter.empty for parameter in public)
    else:
        (parameter,) = public
        assert parameter.name == operation.argument
        assert parameter.default is inspect.Parameter.empty
        assert parameter.annotation is getattr(better_auth, operation.takes)
    assert signature.return_annotation is getattr(better_auth, operation.returns)


@pytest.mark.parametrize(("model", "module"), MODULES.items())
def test_models_are_where_the_samples_import_them(better_auth, model, module):
    found = getattr(importlib.import_module(f"better_auth.models.{module}"), model)
    assert found is getattr(better_auth, model)


def test_the_rest_of_what_the_samples_use_is_there(better_auth):
    rest = importlib.import_module("better_auth.rest")
    assert issubclass(rest.ApiException, Exception)
    assert better_auth.Configuration().host == DEFAULT_HOST


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_the_generated_page_says_the_same(generated, operation):
    """The generator writes the page anew from our contract; what counts in it is as it was."""
    page = (generated / "docs" / f"{CLASS}.md").read_text()
    assert page.startswith(f"# better_auth.{CLASS}\n\nAll URIs are relative to *{DEFAULT_HOST}*\n")
    assert f"[**{operation.method}**]({CLASS}.md#{operation.method}) | **POST** {operation.path} | " in page

    (section,) = [part for part in page.split("\n# **")[1:] if part.startswith(f"{operation.method}**\n")]
    assert "* Bearer Authentication (bearerAuth):" in section
    assert 'access_token = os.environ["BEARER_TOKEN"]' in section
    assert f"### Return type\n\n[**{operation.returns}**]({operation.returns}.md)\n" in section
    assert "[bearerAuth](../README.md#bearerAuth)" in section
    assert "**Accept**: application/json\n" in section
    if operation.argument is not None:
        assert f"\n> {operation.returns} {operation.method}({operation.argument})\n" in section
        assert f"{operation.argument} = better_auth.{operation.takes}() # {operation.takes} | \n" in section
        assert f" **{operation.argument}** | [**{operation.takes}**]({operation.takes}.md)|  | \n" in section
        assert "**Content-Type**: application/json\n" in section
    statuses = {int(status) for status in re.findall(r"^\*\*(\d+)\*\* \|", section, re.MULTILINE)}
    assert statuses.issuperset(STATUSES)


# The samples.


@pytest.fixture
def api(better_auth, server):
    """Calls as the samples make them: configuration, client as context, instance of the class, model, call."""
    return Api(better_auth, server.host)


class Api:
    def __init__(self, better_auth, host):
        self._better_auth = better_auth
        self._host = host

    def accounts(self, access_token=None):
        """Signing up and in, which the page leaves to another one."""
        configuration = self._better_auth.Configuration(host=self._host, access_token=access_token)
        return self._better_auth.DefaultApi(self._better_auth.ApiClient(configuration))

    def sign_up(self):
        """Makes an account; returns its bearer token."""
        request = self._better_auth.SignUpWithEmailAndPasswordRequest(name="Ada", email=EMAIL, password=PASSWORD)
        response = self.accounts().sign_up_with_email_and_password(request)
        assert response.user.email == EMAIL
        return response.token

    def sign_in(self):
        """Gives the right password."""
        request = self._better_auth.SignInEmailRequest(email=EMAIL, password=PASSWORD)
        return self.accounts().sign_in_email(request)

    def session(self, access_token):
        """The session that a token opens, or `None`."""
        return self.accounts(access_token).get_session()

    def call(self, method, access_token, /, **fields):
        """Runs the page's sample of an operation, and checks the type of the response."""
        better_auth = self._better_auth
        (operation,) = [operation for operation in OPERATIONS if operation.method == method]

        configuration = better_auth.Configuration(host=self._host, access_token=access_token)
        with better_auth.ApiClient(configuration) as api_client:
            api_instance = better_auth.TwoFactorApi(api_client)
            if operation.takes is None:
                assert not fields
                api_response = getattr(api_instance, method)()
            else:
                request = getattr(better_auth, operation.takes)(**fields)
                api_response = getattr(api_instance, method)(request)
        assert type(api_response) is getattr(better_auth, operation.returns)
        return api_response

    def refused(self, status, code, method, access_token, /, **fields):
        """Runs a sample that the server must refuse with this status and code."""
        with pytest.raises(self._better_auth.rest.ApiException) as caught:
            self.call(method, access_token, **fields)
        assert caught.value.status == status
        assert type(caught.value.data) is self._better_auth.Error
        assert caught.value.data.code == code
        assert caught.value.data.message

    def enrol(self):
        """Signs up and sets up an app; returns the token, the app and the backup codes."""
        first_token = self.sign_up()
        enabled = self.call("two_factor_enable_post", first_token, password=PASSWORD)
        authenticator = Authenticator(enabled.totp_uri)
        verified = self.call("two_factor_verify_totp_post", first_token, code=authenticator.next_code())
        return verified.token, authenticator, enabled.backup_codes


SAMPLES = dict(
    re.findall(
        r"^# \*\*(\w+)\*\*\n\n```python\n(.*?)^```$",
        (REPOSITORY / "tests" / "clients" / "documents" / "000-python.md").read_text(),
        re.DOTALL | re.MULTILINE,
    )
)


def fill_in(sample, old, new):
    assert sample.count(old) == 1, f"{old} is not there once:\n{sample}"
    return sample.replace(old, new)


@pytest.fixture
def run(better_auth, server, monkeypatch):
    """Runs the page's sample of an operation, word for word but for host, token and fields; returns the response.

    Two things the page leaves to its reader, and so they are done here: its samples use `os` without importing it, and
    their second configuration forgets the host of the first.
    """

    def run(method, access_token, /, **fields):
        (operation,) = [operation for operation in OPERATIONS if operation.method == method]
        sample = fill_in(SAMPLES[method], f'host = "{DEFAULT_HOST}" #', f'host = "{server.host}" #')
        token = 'access_token = os.environ["BEARER_TOKEN"]'
        sample = fill_in(sample, token, f"host = configuration.host, {token}")
        if operation.takes is not None:
            values = ", ".join(f"{name}={value!r}" for name, value in fields.items())
            request = f"{operation.argument} = better_auth.{operation.takes}("
            sample = fill_in(sample, f"{request})", f"{request}{values})")
        monkeypatch.setenv("BEARER_TOKEN", access_token)
        variables, printed = {"os": os}, io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(sample, f"the sample of {method}", "exec"), variables)
        printed = printed.getvalue()
        assert printed.startswith(f"The response of {CLASS}->{method}:\n\n{operation.returns}("), printed
        response = variables["api_response"]
        assert type(response) is getattr(better_auth, operation.returns)
        return response

    return run


def test_the_samples_run_as_the_page_prints_them(run, api, server):
    assert set(SAMPLES) == {operation.method for operation in OPERATIONS}
    first_token = api.sign_up()

    enabled = run("two_factor_enable_post", first_token, password=PASSWORD)
    assert len(enabled.backup_codes) == 10
    assert run("two_factor_get_totp_uri_post", first_token, password=PASSWORD).totp_uri == enabled.totp_uri
    authenticator = Authenticator(enabled.totp_uri)
    verified = run("two_factor_verify_totp_post", first_token, code=authenticator.next_code())
    assert verified.status is True
    token = verified.token
    assert run("two_factor_send_otp_post", token).status is True
    assert run("two_factor_verify_otp_post", token, code=server.mailed_code(EMAIL)).user.email == EMAIL
    codes = run("two_factor_generate_backup_codes_post", token, password=PASSWORD).backup_codes
    assert not set(codes) & set(enabled.backup_codes)
    assert run("two_factor_verify_backup_code_post", token, code=codes[0]).session.user_id == verified.user.id
    assert run("two_factor_disable_post", token, password=PASSWORD).status is True
    assert api.sign_in().user.two_factor_enabled is False


def test_a_sample_prints_what_went_wrong(run, api):
    """The samples catch what is refused: then there is no response, and the page's other line is printed."""
    token = api.sign_up()
    with pytest.raises(AssertionError, match=r"Exception when calling TwoFactorApi->two_factor_enable_post: \(400\)"):
        run("two_factor_enable_post", token, password="wrong")


def test_all_eight_operations_run(api, server):
    first_token = api.sign_up()

    enabled = api.call("two_factor_enable_post", first_token, password=PASSWORD)
    assert enabled.totp_uri.startswith("otpauth://totp/Countersign:ada%40example.com?secret=")
    assert len(set(enabled.backup_codes)) == 10
    authenticator = Authenticator(enabled.totp_uri)

    verified = api.call("two_factor_verify_totp_post", first_token, code=authenticator.next_code())
    assert verified.status is True
    assert verified.user.two_factor_enabled is True
    # The session is a new one, and so is its token.
    token = verified.token
    assert api.session(first_token) is None
    assert api.session(token).user == verified.user

    shown = api.call("two_factor_get_totp_uri_post", token, password=PASSWORD)
    assert shown.totp_uri == enabled.totp_uri

    sent = api.call("two_factor_send_otp_post", token)
    assert sent.status is True
    mailed = api.call("two_factor_verify_otp_post", token, code=server.mailed_code(EMAIL))
    assert mailed.token == token
    # The code has proved the address.
    assert (mailed.user.id, mailed.user.email_verified) == (verified.user.id, True)

    (old_code, *_) = enabled.backup_codes
    generated = api.call("two_factor_generate_backup_codes_post", token, password=PASSWORD)
    assert generated.status is True
    assert len(set(generated.backup_codes)) == 10
    api.refused(401, "INVALID_BACKUP_CODE", "two_factor_verify_backup_code_post", token, code=old_code)
    backed = api.call("two_factor_verify_backup_code_post", token, code=generated.backup_codes[0])
    assert backed.user == api.session(token).user
    assert backed.session.token == token
    assert backed.session.user_id == verified.user.id

    disabled = api.call("two_factor_disable_post", token, password=PASSWORD)
    assert disabled.status is True
    assert api.session(token) is None
    assert api.sign_in().user.two_factor_enabled is False


def test_a_challenge_goes_on_with_its_token(api, server):
    _, authenticator, backup_codes = api.enrol()

    challenge = api.sign_in()
    assert challenge.two_factor_redirect is True
    assert challenge.two_factor_methods == ["totp", "otp"]
    assert (challenge.redirect, challenge.token) == (False, challenge.two_factor_token)
    assert (challenge.user.id, challenge.user.email) == (None, EMAIL)
    assert api.session(challenge.two_factor_token) is None
    signed_in = api.call("two_factor_verify_totp_post", challenge.two_factor_token, code=authenticator.next_code())
    assert api.session(signed_in.token).user == signed_in.user
    api.refused(
        401,
        "INVALID_TWO_FACTOR_COOKIE",
        "two_factor_verify_totp_post",
        challenge.two_factor_token,
        code=authenticator.next_code(),
    )

    by_mail = api.sign_in().two_factor_token
    assert api.call("two_factor_send_otp_post", by_mail).status is True
    signed_in = api.call("two_factor_verify_otp_post", by_mail, code=server.mailed_code(EMAIL))
    assert api.session(signed_in.token).user == signed_in.user

    by_backup_code = api.sign_in().two_factor_token
    signed_in = api.call("two_factor_verify_backup_code_post", by_backup_code, code=backup_codes[0])
    assert signed_in.session.token == signed_in.token
    assert api.session(signed_in.token).user == signed_in.user


def test_the_token_of_a_challenge_manages_nothing(api):
    api.enrol()
    challenge = api.sign_in().two_factor_token
    for method in (
        "two_factor_enable_post",
        "two_factor_get_totp_uri_post",
        "two_factor_generate_backup_codes_post",
        "two_factor_disable_post",
    ):
        api.refused(401, "UNAUTHORIZED", method, challenge, password=PASSWORD)


def test_without_a_token_everything_is_refused(api):
    for method in (
        "two_factor_enable_post",
        "two_factor_get_totp_uri_post",
        "two_factor_generate_backup_codes_post",
        "two_factor_disable_post",
    ):
        api.refused(401, "UNAUTHORIZED", method, None, password=PASSWORD)
    for method in ("two_factor_verify_totp_post", "two_factor_verify_otp_post", "two_factor_verify_backup_code_post"):
        api.refused(401, "INVALID_TWO_FACTOR_COOKIE", method, None, code="123456")
    api.refused(401, "INVALID_TWO_FACTOR_COOKIE", "two_factor_send_otp_post", None)


def test_wrong_passwords_and_codes_are_refused(api):
    token, _, _ = api.enrol()
    for method in (
        "two_factor_enable_post",
        "two_factor_get_totp_uri_post",
        "two_factor_generate_backup_codes_post",
        "two_factor_disable_post",
    ):
        api.refused(400, "INVALID_PASSWORD", method, token, password="wrong")
    api.refused(401, "INVALID_CODE", "two_factor_verify_totp_post", token, code="abcdef")
    api.refused(401, "INVALID_BACKUP_CODE", "two_factor_verify_backup_code_post", token, code="aaaaa-aaaaa")
    api.refused(400, "OTP_HAS_EXPIRED", "two_factor_verify_otp_post", token, code="123456")


def test_times_are_instants_of_now(api):
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(milliseconds=1)
    session = api.session(api.sign_up())
    after = datetime.datetime.now(datetime.timezone.utc)
    assert before <= session.user.created_at <= after
    assert before <= session.session.created_at <= after
    assert session.session.expires_at - session.session.created_at == datetime.timedelta(days=7)


def test_a_device_can_be_trusted_and_a_session_left_out(api, better_auth):
    token, _, backup_codes = api.enrol()
    response = api.call(
        "two_factor_verify_backup_code_post",
        api.sign_in().two_factor_token,
        code=backup_codes[0],
        disable_session=better_auth.BooleanOrText("true"),
        trust_device=better_auth.BooleanOrText(False),
    )
    assert response.user.email == EMAIL
    assert response.token is None
    assert response.session.token == ""
    assert response.session.expires_at < response.user.created_at
