"""The curl samples of the published "Athena Auth" pages, run by a shell as they stand there.

Addresses, tokens and values are filled in; the fields of most bodies the pages leave open. Answers must have the fields
that the pages show.
"""

import json
import os
import re
import shutil
import subprocess

import pytest

from authenticator import Authenticator
from server import REPOSITORY

PASSWORD = "correct horse battery staple"
EMAIL = "ada@example.com"

PATHS = (
    "get-totp-uri",
    "verify-totp",
    "send-otp",
    "verify-otp",
    "verify-backup-code",
    "generate-backup-codes",
    "enable",
    "disable",
)


def page(name):
    """What a page has of samples."""
    return (REPOSITORY / "tests" / "clients" / "documents" / name).read_text()


def samples(text):
    """The samples in it, by the last part of their path."""
    found = re.split(r"^(?=curl )", text, flags=re.MULTILINE)[1:]
    assert [re.search(r"/two-factor/([a-z-]+)\"", sample)[1] for sample in found] == list(PATHS)
    return dict(zip(PATHS, found))


# Page 004, with a token: the first lines set address and token, and most bodies are left open.
WITH_TOKEN = page("004-curl-with-token.sh")
BODY_LEFT_OPEN = '{"...":"See OpenAPI requestBody schema"}'

# Pages 002 and 004, in the contract part, without a token. The text of the pages has lost its line breaks: each
# backslash in it stood at the end of a line.
WITHOUT_TOKEN = {
    "002": page("002-curl.txt").replace("\\ ", "\\\n"),
    "004": page("004-curl.txt").replace("\\ ", "\\\n"),
}

HOST = "http://localhost:3001/api/auth"
TOKEN = "<bearer-token>"

USER = {"id": str, "email": str, "emailVerified": bool, "name": str, "createdAt": "time", "updatedAt": "time"}
RESPONSES = {
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
        (directory / ".curlrc").write_text('silent\nshow-error\nwrite-out = "\\n%{http_code}\\n"\n')
        self._environment = {**os.environ, "CURL_HOME": os.fspath(directory), "NO_PROXY": "*"}

    def run(self, script, token=TOKEN):
        """Runs samples; returns status and body of each."""
        assert HOST in script
        script = script.replace(HOST, self._host).replace(TOKEN, token)
        done = subprocess.run(["bash", "-c", script], env=self._environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        return [(int(status), json.loads(body)) for body, status in zip(lines[::2], lines[1::2], strict=True)]

    def send(self, path, token, fields):
        """Runs the sample with a token for a path with these fields; returns status and body."""
        settings, _ = WITH_TOKEN.split("\n\n", 1)
        assert samples(WITH_TOKEN)[path].count(BODY_LEFT_OPEN) == 1
        sample = samples(WITH_TOKEN)[path].replace(BODY_LEFT_OPEN, json.dumps(fields))
        (response,) = self.run(f"{settings}\n{sample}", token)
        return response

    def call(self, path, token, **fields):
        """The same; returns the response, which must be as the page shows it."""
        return succeeded(path, self.send(path, token, fields))

    def account(self, path, **fields):
        """Signing up and in, which the pages leave to another one."""
        sample = f"curl '{HOST}/{path}' -H 'content-type: application/json' -d '{json.dumps(fields)}'"
        ((status, response),) = self.run(sample)
        assert status == 200, response
        return response


def succeeded(path, response):
    """Checks that a response is as the page shows it; returns its body."""
    status, body = response
    assert status == 200, body
    assert_shape(body, RESPONSES[path])
    return body


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


def assert_refused(response, expected_status, code):
    status, body = response
    assert status == expected_status, body
    assert body["code"] == code
    assert type(body["message"]) is str


@pytest.fixture
def shell(tmp_path, server):
    assert shutil.which("curl"), "curl is missing"
    return Shell(tmp_path, server)


def sign_up(shell):
    return shell.account("sign-up/email", name="Ada", email=EMAIL, password=PASSWORD)["token"]


def run_all(call, token, server):
    """Makes the eight calls in an order in which they can all succeed."""
    enabled = call("enable", token, password=PASSWORD)
    assert call("get-totp-uri", token, password=PASSWORD)["totpURI"] == enabled["totpURI"]
    code = Authenticator(enabled["totpURI"]).next_code()
    token = call("verify-totp", token, code=code)["token"]
    call("send-otp", token)
    call("verify-otp", token, code=server.mailed_code(EMAIL))
    codes = call("generate-backup-codes", token, password=PASSWORD)["backupCodes"]
    call("verify-backup-code", token, code=codes[0])
    call("disable", token, password=PASSWORD)


def test_the_samples_with_a_token_run(shell, server):
    run_all(shell.call, sign_up(shell), server)


def test_the_page_with_a_token_runs_as_one_script(shell, server):
    """With nothing but address and token filled in: a body with none of the fields is refused, except for sending."""
    for path, response in zip(PATHS, shell.run(WITH_TOKEN, sign_up(shell)), strict=True):
        if path == "send-otp":
            assert response == (200, {"status": True})
            assert re.fullmatch(r"\d{6}", server.mailed_code(EMAIL))
        else:
            assert_refused(response, 400, "VALIDATION_ERROR")


@pytest.mark.parametrize("page", WITHOUT_TOKEN)
def test_the_samples_without_a_token_are_refused(shell, page):
    for path, response in zip(PATHS, shell.run(WITHOUT_TOKEN[page]), strict=True):
        is_of_a_challenge = path == "send-otp" or path.startswith("verify-")
        assert_refused(response, 401, "INVALID_TWO_FACTOR_COOKIE" if is_of_a_challenge else "UNAUTHORIZED")


@pytest.mark.parametrize("page", WITHOUT_TOKEN)
def test_the_samples_without_a_token_run_once_they_have_one(shell, server, page):
    """The pages say beside each of these samples that it wants `Authorization: Bearer <token>`."""
    found = samples(WITHOUT_TOKEN[page])

    def call(path, token, **fields):
        sample = f'{found[path].rstrip()} -H "Authorization: Bearer {TOKEN}"'
        for name, value in fields.items():
            assert sample.count(f'"{name}": "string"') == 1
            sample = sample.replace(f'"{name}": "string"', f'"{name}": "{value}"')
        assert '"string"' not in sample
        (response,) = shell.run(sample, token)
        return succeeded(path, response)

    run_all(call, sign_up(shell), server)


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

    fields = {"code": enabled["backupCodes"][1], "disableSession": "true"}
    status, response = shell.send("verify-backup-code", challenge(), fields)
    assert status == 200, response
    assert sorted(response) == ["session", "user"]
    assert response["session"]["token"] == ""

    fields = {"code": enabled["backupCodes"][2], "disableSession": "yes"}
    assert_refused(shell.send("verify-backup-code", challenge(), fields), 400, "VALIDATION_ERROR")
