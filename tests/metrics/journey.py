"""What tests/metrics/run does over HTTP, with Python alone: a sign-in with a second factor, and questions to Prometheus."""

import base64
import hashlib
import hmac
import json
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

PASSWORD = "correct horse battery staple"
# Of requests to a machine that is busy.
TIMEOUT = 30


def fetch(url, body=None, token=None):
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
        return response.read().decode()


def wait(url):
    for _ in range(300):
        try:
            return fetch(url)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
    sys.exit(f"{url} never responded")


def code(uri, step):
    """RFC 6238 with the key of an otpauth URI."""
    text = urllib.parse.parse_qs(urllib.parse.urlparse(uri).query)["secret"][0]
    key = base64.b32decode(text + "=" * (-len(text) % 8))
    digest = hmac.new(key, step.to_bytes(8, "big"), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at:at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


def sign_in(base):
    """Signs up, enrols an app with the code of now, and signs in with that of the next interval."""

    def call(path, body, token=None):
        return json.loads(fetch(f"{base}/api/auth{path}", body, token))

    account = {"email": "ada@example.com", "password": PASSWORD}
    token = call("/sign-up/email", {"name": "Ada", **account})["token"]
    uri = call("/two-factor/enable", {"password": PASSWORD}, token)["totpURI"]
    step = int(time.time()) // 30
    call("/two-factor/verify-totp", {"code": code(uri, step)}, token)
    challenge = call("/sign-in/email", account)["twoFactorToken"]
    call("/two-factor/verify-totp", {"code": code(uri, step + 1)}, challenge)


def ask(address, query):
    """The result of a query to Prometheus, which refuses what is no query."""
    url = f"{address}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    return json.loads(fetch(url))["data"]["result"]


def compare(address, monitoring):
    counted = 'countersign_authn_second_factor_total{type="totp",result="success",dialect="better-auth"}'
    for _ in range(60):
        found = ask(address, counted)
        if found and found[0]["value"][1] == "2":
            break
        time.sleep(0.5)
    else:
        sys.exit(f"Prometheus does not have the two second factors: {found}")

    dashboard = json.loads((Path(monitoring) / "dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    for query in queries:
        for variable, value in {"$instance": ".*", "$job": "countersign", "$__rate_interval": "5s"}.items():
            query = query.replace(variable, value)
        if not ask(address, query) and "rate(" not in query and "increase(" not in query:
            sys.exit(f"the dashboard asks for something that is not there: {query}")

    rules = json.loads(fetch(f"{address}/api/v1/rules"))["data"]["groups"][0]["rules"]
    unwell = [rule["name"] for rule in rules if rule["health"] != "ok"]
    firing = [rule["name"] for rule in rules if rule["state"] == "firing"]
    if unwell or firing or len(rules) < 10:
        sys.exit(f"rules that cannot be evaluated: {unwell}; that fire in a server that is well: {firing}")
    kinds = json.loads(fetch(f"{address}/api/v1/metadata"))["data"]
    undescribed = [name for name in kinds if re.match("countersign_", name) and not kinds[name][0]["help"]]
    if undescribed:
        sys.exit(f"metrics without a description: {undescribed}")
    print(f"{len(queries)} queries of the dashboard and {len(rules)} alert rules, evaluated by Prometheus")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["wait", url]:
            wait(url)
        case ["fetch", url]:
            print(fetch(url), end="")
        case ["sign-in", base]:
            sign_in(base)
        case ["compare", address, monitoring]:
            compare(address, monitoring)
