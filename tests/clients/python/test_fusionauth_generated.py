"""The way of a person through two-factor authentication, with the Python client that openapi-generator makes of
`openapi/fusionauth.yaml`."""

import importlib
import pkgutil

import pytest

from authenticator import Authenticator

PASSWORD = "correct horse battery staple"
EMAIL = "ada@example.com"
APPLICATION = "c0de0000-0000-4000-8000-000000000002"


@pytest.fixture
def service(countersign_fusionauth, server):
    """What a service with a key calls."""
    return Api(countersign_fusionauth, host=server.origin, api_key={"apiKey": server.api_key()})


class Api:
    """The classes of the generated client over one configuration."""

    def __init__(self, package, **configuration):
        client = package.ApiClient(package.Configuration(**configuration))
        self.package = package
        self.two_factor = package.TwoFactorApi(client)
        self.login = package.LoginApi(client)
        self.users = package.UsersApi(client)
        self.methods = package.MethodsApi(client)
        self.jwt = package.JWTApi(client)
        self.status = package.StatusApi(client)

    def log_in(self, password=PASSWORD, **more):
        """Gives a password; returns status and response."""
        request = self.package.LoginRequest(login_id=EMAIL, password=password, application_id=APPLICATION, **more)
        response = self.login.login_with_http_info(login_request=request)
        return response.status_code, response.data


def refused(package, status, call, *arguments, **named):
    """Checks that a call is refused with this status; returns what the client made of the body."""
    with pytest.raises(package.ApiException) as caught:
        call(*arguments, **named)
    assert caught.value.status == status, caught.value
    return caught.value.data


def test_every_module_can_be_imported(countersign_fusionauth):
    modules = [name for _, name, _ in pkgutil.walk_packages(countersign_fusionauth.__path__, "countersign_fusionauth.")]
    assert len(modules) > 50
    for module in modules:
        importlib.import_module(module)


def test_a_service_makes_a_user_who_logs_in_with_a_second_factor(countersign_fusionauth, service, server):
    package = countersign_fusionauth
    fields = package.UserFields(email=EMAIL, password=PASSWORD, first_name="Ada", data={"plan": ["free", 1, None]})
    user = service.users.create_user(user_request=package.UserRequest(user=fields)).user
    assert (user.email, user.first_name, user.data) == (EMAIL, "Ada", {"plan": ["free", 1, None]})
    assert user.active is True
    assert user.last_login_instant is None
    registration = package.RegistrationRequest(registration=package.RegistrationFields(application_id=APPLICATION))
    assert service.users.register(user.id, registration_request=registration).registration.application_id == APPLICATION
    status, response = service.log_in()
    assert status == 200
    assert response.user.id == user.id
    assert service.two_factor.retrieve_two_factor_status_without_trust_with_http_info(user.id).status_code == 200

    secret = service.two_factor.generate_two_factor_secret_using_jwt()
    app = Authenticator.of(secret.secret_base32_encoded)
    request = package.TwoFactorRequest(method="authenticator", secret=secret.secret, code=app.next_code())
    codes = service.methods.enable_two_factor(user.id, two_factor_request=request).recovery_codes
    assert len(set(codes)) == 10
    asked = service.two_factor.retrieve_two_factor_status_without_trust_with_http_info(user.id)
    assert (asked.status_code, asked.data.trusts) == (242, None)

    status, challenge = service.log_in()
    assert status == 242
    assert (challenge.token, challenge.user) == (None, None)
    (method,) = challenge.methods
    assert method.method == package.TwoFactorMethodName.AUTHENTICATOR

    # Completing a login takes no key: the challenge is the credential.
    person = Api(package, host=server.origin)
    wrong = package.TwoFactorLoginRequest(two_factor_id=challenge.two_factor_id, code="wrong")
    assert refused(package, 421, person.two_factor.two_factor_login, two_factor_login_request=wrong) is None
    right = package.TwoFactorLoginRequest(
        two_factor_id=challenge.two_factor_id, code=app.next_code(), trust_computer=True
    )
    done = person.two_factor.two_factor_login(two_factor_login_request=right)
    assert done.user.id == user.id
    assert done.user.last_login_instant >= user.insert_instant
    refused(package, 404, person.two_factor.two_factor_login, two_factor_login_request=right)

    with_token = Api(package, host=server.origin, access_token=done.token)
    claims = with_token.jwt.validate_jwt().jwt
    assert (claims.sub, claims.amr, claims.application_id) == (user.id, ["mfa"], APPLICATION)
    trusted = service.two_factor.retrieve_two_factor_status_with_http_info(done.two_factor_trust_id, user.id)
    assert (trusted.status_code, len(trusted.data.trusts)) == (200, 1)
    assert service.log_in(two_factor_trust_id=done.two_factor_trust_id)[0] == 200

    # With the token the person adds a method; a code by mail proves the address, and another one completes a login.
    address = package.TwoFactorSendRequest(method="email", email=EMAIL)
    assert with_token.two_factor.send_two_factor_code_for_enable_disable(two_factor_send_request=address) is None
    request = package.TwoFactorRequest(method="email", email=EMAIL, code=server.mailed_code(EMAIL))
    added = with_token.methods.enable_two_factor_using_jwt(two_factor_request=request)
    assert (added.recovery_codes, added.code) == (None, None)
    status, challenge = service.log_in()
    assert status == 242
    (by_mail,) = [method for method in challenge.methods if method.email == EMAIL]
    person.two_factor.send_two_factor_code_for_login_using_method(
        challenge.two_factor_id, two_factor_send_request=package.TwoFactorSendRequest(method_id=by_mail.id)
    )
    mailed = package.TwoFactorLoginRequest(two_factor_id=challenge.two_factor_id, code=server.mailed_code(EMAIL))
    assert person.two_factor.two_factor_login(two_factor_login_request=mailed).user.id == user.id

    # A recovery code disables all methods.
    service.methods.disable_two_factor(user.id, code=codes[0])
    assert service.log_in()[0] == 200
    assert service.users.retrieve_user(user.id).user.two_factor is None


def test_refusals_say_what_is_wrong(countersign_fusionauth, service, server):
    package = countersign_fusionauth
    errors = refused(package, 400, service.login.login, login_request=package.LoginRequest())
    assert type(errors) is package.Errors
    assert errors.general_errors is None
    assert [error.code for error in errors.field_errors["loginId"]] == ["[blank]loginId"]
    # Generated clients may leave a body out that is not required.
    assert set(refused(package, 400, service.login.login).field_errors) == {"loginId", "password"}
    assert refused(package, 404, service.log_in, password="wrong") is None
    stranger = Api(package, host=server.origin, api_key={"apiKey": "not a key"})
    assert refused(package, 401, stranger.users.retrieve_user, "00000000-0000-4000-8000-000000000000") is None
    nobody = Api(package, host=server.origin)
    assert nobody.status.retrieve_system_status().version is None
    assert service.status.retrieve_system_status().version
