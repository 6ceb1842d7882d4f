"""The curl samples of the published "Athena Auth" pages, run by a shell as they stand there.

The pages leave the fields of most bodies open; those are filled in. Answers must have the fields that the pages show.
"""

import json
import os
import re
import shutil
import subprocess

import pytest

from authenticator import Authenticator

PASSWORD = "correct horse battery staple"
EMAIL = "ada@example.com"

PATHS = (
    "enable",
    "verify-totp",
    "send-otp",
    "verify-otp",
    "get-totp-uri",
    "verify-backup-code",
    "generate-backup-codes",
    "disable",
)

# Page 004: with a token. The body is the page's own, word for word, unless it is replaced.
BODY_LEFT_OPEN = '{"...":"See OpenAPI requestBody schema"}'
WITH_TOKEN = """\
curl -X POST "$ATHENA_AUTH_BASE_URL/two-factor/PATH" \\
  -H "content-type: application/json" \\
  -H "authorization: Bearer $ATHENA_AUTH_TOKEN" \\
  -d 'BODY'
"""

# Pages 002 and 004: in the contract part, without a token; sending a code has no body and no content type.
WITHOUT_TOKEN = """\
curl -X POST "http://localhost:3001/api/auth/two-factor/PATH" \\
  -H "Content-Type: application/json" \\
  -d '{ "FIELD": "string" }'
"""
WITHOUT_TOKEN_AND_BODY = 'curl -X POST "http://localhost:3001/api/auth/two-factor/send-otp"'

USER = {"id": str, "email": str, "emailVerified": bool, "name": str, "createdAt": "time", "updatedAt": "time"}
ANSWERS = {
    "get-totp-uri": {"totpURI": str},
    "verify-totp": {"status": True},
    "send-otp": {"status": True},
    "verify-otp": {"token": str, "user": USER},
    "verify-backup-code": {
        "user": {**USER, "twoFactorEnabled": bool},
        "session": {"token": str, "userId": str, "createdAt": "time", "expiresAt": "time"},
    },
    "generate-backup-codes": {"status": True, "backupCodes": [str]},
    "enable": {"totpURI": str, "backupCodes": [str]},
    "disable": {"status": True},
}


class Shell:
    """Runs samples; how chatty curl is comes from its configuration, so that the samples stay as they are."""

    def __init__(self, directory, server):
        self._host = server.host
        (directory / ".curlrc").write_text('silent\nshow-error\nwrite-out = "\\n%{http_code}"\n')
        self._environment = {**os.environ, "CURL_HOME": os.fspath(directory), "ATHENA_AUTH_BASE_URL": server.host}

    def run(self, sample, token=""):
        """Runs a sample; returns status and body."""
        command = sample.replace("http://localhost:3001/api/auth", self._host)
        environment = {**self._environment, "ATHENA_AUTH_TOKEN": token}
        done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        body, status = done.stdout.rsplit("\n", 1)
        return int(status), json.loads(body)

    def call(self, path, token, **fields):
        """Runs the sample for a path with these fields; returns the answer, which must be as the page shows it."""
        status, answer = self.run(WITH_TOKEN.replace("PATH", path).replace("BODY", json.dumps(fields)), token)
        assert status == 200, answer
        assert_shape(answer, ANSWERS[path])
        return answer

    def account(self, path, **fields):
        """Signing up and in, which the pages leave to another one."""
        sample = WITH_TOKEN.replace("two-factor/PATH", path).replace("BODY", json.dumps(fields))
        status, answer = self.run(sample)
        assert status == 200, answer
        return answer


def assert_shape(value, shape):
    """Checks that a value has at least what the shape has."""
    if isinstance(shape, dict):
        for name, inner in shape.items():
            assert_shape(value[name], inner)
    elif isinstance(shape, list):
        assert value
        for element in value:
            assert_shape(element, shape[0])
    elif shape == "time":
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value)
    elif isinstance(shape, type):
        assert type(value) is shape
    else:
        assert value is shape


def assert_refused(answer, expected_status, code):
    status, body = answer
    assert status == expected_status, body
    assert body["code"] == code
    assert type(body["message"]) is str


@pytest.fixture
def shell(tmp_path, server):
    assert shutil.which("curl"), "curl is missing"
    return Shell(tmp_path, server)


def sign_up(shell):
    return shell.account("sign-up/email", name="Ada", email=EMAIL, password=PASSWORD)["token"]


def test_the_samples_with_a_token_run(shell, server):
    first_token = sign_up(shell)
    enabled = shell.call("enable", first_token, password=PASSWORD)
    authenticator = Authenticator(enabled["totpURI"])
    token = shell.call("verify-totp", first_token, code=authenticator.next_code())["token"]

    assert shell.call("get-totp-uri", token, password=PASSWORD)["totpURI"] == enabled["totpURI"]
    shell.call("send-otp", token)
    shell.call("verify-otp", token, code=server.mailed_code(EMAIL))
    codes = shell.call("generate-backup-codes", token, password=PASSWORD)["backupCodes"]
    shell.call("verify-backup-code", token, code=codes[0])
    shell.call("disable", token, password=PASSWORD)


def test_the_bodies_that_the_pages_leave_open_are_refused_except_for_sending(shell, server):
    token = sign_up(shell)
    for path in PATHS:
        answer = shell.run(WITH_TOKEN.replace("PATH", path).replace("BODY", BODY_LEFT_OPEN), token)
        if path == "send-otp":
            assert answer == (200, {"status": True})
            assert re.fullmatch(r"\d{6}", server.mailed_code(EMAIL))
        else:
            assert_refused(answer, 400, "VALIDATION_ERROR")


def test_the_samples_without_a_token_are_refused(shell):
    for path in PATHS:
        if path == "send-otp":
            assert_refused(shell.run(WITHOUT_TOKEN_AND_BODY), 401, "INVALID_TWO_FACTOR_COOKIE")
        elif path.startswith("verify-"):
            sample = WITHOUT_TOKEN.replace("PATH", path).replace("FIELD", "code")
            assert_refused(shell.run(sample), 401, "INVALID_TWO_FACTOR_COOKIE")
        else:
            sample = WITHOUT_TOKEN.replace("PATH", path).replace("FIELD", "password")
            assert_refused(shell.run(sample), 401, "UNAUTHORIZED")


def test_switches_may_be_texts_as_page_004_has_them(shell):
    first_token = sign_up(shell)
    enabled = shell.call("enable", first_token, password=PASSWORD)
    authenticator = Authenticator(enabled["totpURI"])
    shell.call("verify-totp", first_token, code=authenticator.next_code(), trustDevice="false")

    def challenge():
        return shell.account("sign-in/email", email=EMAIL, password=PASSWORD)["twoFactorToken"]

    shell.call("verify-totp", challenge(), code=authenticator.next_code(), trustDevice="true")
    kept = shell.call(
        "verify-backup-code", challenge(), code=enabled["backupCodes"][0], disableSession="false", trustDevice="true"
    )
    assert kept["token"] == kept["session"]["token"]

    sample = WITH_TOKEN.replace("PATH", "verify-backup-code")
    fields = {"code": enabled["backupCodes"][1], "disableSession": "true"}
    status, answer = shell.run(sample.replace("BODY", json.dumps(fields)), challenge())
    assert status == 200, answer
    assert list(answer) == ["user"]

    fields = {"code": enabled["backupCodes"][2], "disableSession": "yes"}
    assert_refused(shell.run(sample.replace("BODY", json.dumps(fields)), challenge()), 400, "VALIDATION_ERROR")
