"""The compose file and nginx.conf with the program: the migration, the server behind nginx, TLS, cookies and addresses.

usage: check_compose.py BINARY COMPOSE NGINX_CONF DATABASE_URL DIRECTORY

COMPOSE is the file as docker-compose has resolved it. DIRECTORY has tls/key.pem and tls/fullchain.pem for id.example.com."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import yaml

HOST = "id.example.com"
# Of a client, beside 127.0.0.1, which is the proxy's here.
CLIENT = "127.0.0.2"
# Documentation's (RFC 5737): what a client claims to be.
CLAIMED = "203.0.113.9"


def check(holds, text):
    if not holds:
        sys.exit(f"FAILED: {text}")


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    return [one.getsockname()[1] for one in sockets]


class Browser:
    """Requests over TLS from an address, with the cookies that were set."""

    def __init__(self, port, certificate):
        self.port, self.cookies = port, {}
        self.context = ssl.create_default_context(cafile=certificate)

    def send(self, method, path, body=None, headers=()):
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60, source_address=(CLIENT, 0))
        connection = http.client.HTTPConnection(HOST)
        connection.sock = self.context.wrap_socket(plain, server_hostname=HOST)
        sent = {"origin": f"https://{HOST}", "cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()), **dict(headers)}
        if body is not None:
            sent["content-type"] = "application/json"
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        response = connection.getresponse()
        text = response.read().decode()
        set_cookies = [value for name, value in response.getheaders() if name.lower() == "set-cookie"]
        for cookie in set_cookies:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        connection.close()
        return response, text, set_cookies


def nginx(stack, configuration, place, nodes, plain, tls):
    """Debian's nginx with the file, but for names, ports and places of the containers."""
    text = Path(configuration).read_text()
    for old, new in {
        "server countersign:3000 max_fails=0;": " ".join(f"server 127.0.0.1:{node} max_fails=0;" for node in nodes),
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{tls} ssl;",
        "/etc/nginx/tls/": f"{place}/tls/",
    }.items():
        check(old in text, f"nginx.conf has no `{old}`")
        text = text.replace(old, new)
    prefix = Path(place) / "nginx"
    prefix.mkdir()
    (prefix / "nginx.conf").write_text(text)
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    command = [program, "-p", f"{prefix}/", "-c", f"{prefix}/nginx.conf", "-e", f"{place}/nginx.log"]
    command += ["-g", f"daemon off; pid {prefix}/pid;"]
    tested = subprocess.run([*command, "-t"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    check(tested.returncode == 0 and "[warn]" not in tested.stdout, f"nginx refuses the file: {tested.stdout}")
    process = subprocess.Popen(command)
    stack.callback(process.wait)
    stack.callback(process.terminate)


def rolled(browser, nodes, start, stop):
    """Restarts one node right after the other, while requests go on (fewer than the limit): how many of them got which status."""
    statuses, over = Counter(), threading.Event()

    def ask():
        while not over.is_set():
            try:
                statuses[browser.send("GET", "/.well-known/jwks.json")[0].status] += 1
            except OSError as error:
                statuses[repr(error)] += 1
            time.sleep(0.02)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for node, process in list(nodes.items()):
            stop(process)
            nodes[node] = start(node)
        time.sleep(1)
    finally:
        over.set()
        asking.join()
    return statuses


def ready(port):
    """Waits until the node says that it is."""
    for _ in range(300):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit(f"FAILED: no node at port {port}")


def main(binary, compose, configuration, database_url, place):
    services = yaml.safe_load(Path(compose).read_text())["services"]
    migrate, server = services["migrate"], services["countersign"]
    check(migrate["environment"] == server["environment"], "the migration has other settings than the server")
    check(server["depends_on"]["migrate"]["condition"] == "service_completed_successfully", "the server waits for the migration")
    shared = set(server["networks"]) & set(services["proxy"]["networks"])
    check(shared == {"proxied"}, f"the proxy and the server share {shared}: its address could be another one")
    address = services["proxy"]["networks"]["proxied"]["ipv4_address"]
    check(server["environment"]["COUNTERSIGN_TRUSTED_PROXIES"] == address, "the proxy is not the trusted one")
    check("ports" not in server and "ports" not in services["database"], "the server can be reached beside the proxy")

    (keyring := Path(place) / "compose-keyring").touch(mode=0o600)
    keyring.write_bytes(subprocess.run([binary, "generate-keyring"], check=True, stdout=subprocess.PIPE).stdout)
    port, other, plain, tls = free_ports(4)
    data = Path(place) / "compose-data"
    environment = {
        **{name: value or "" for name, value in server["environment"].items()},
        # The places of containers, on this machine.
        "COUNTERSIGN_LISTEN": f"127.0.0.1:{port}",
        "COUNTERSIGN_DATABASE_URL": database_url,
        "COUNTERSIGN_KEYRING": str(keyring),
        "COUNTERSIGN_DATA_DIR": str(data),
        "COUNTERSIGN_TRUSTED_PROXIES": "127.0.0.1",
    }
    log = Path(place) / "compose.log"
    with ExitStack() as stack:

        def start(port=port):
            output = stack.enter_context(log.open("a"))
            of_node = {**environment, "COUNTERSIGN_LISTEN": f"127.0.0.1:{port}"}
            process = subprocess.Popen([binary], env=of_node, cwd=place, stdout=subprocess.DEVNULL, stderr=output)
            stack.callback(process.kill)
            return process

        # Without the migration, the server says what is missing.
        early = start()
        check(early.wait(60) != 0 and "countersign migrate" in log.read_text(), f"it starts without tables: {log.read_text()}")
        log.write_text("")
        command = [binary, *migrate["command"]]
        migrated = subprocess.run(command, env=environment, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        check(migrated.returncode == 0, f"the migration: {migrated.stdout}")

        process = start()
        nginx(stack, configuration, place, [port, other], plain, tls)
        browser = Browser(tls, Path(place) / "tls/fullchain.pem")
        for _ in range(300):
            try:
                response, text, _ = browser.send("GET", "/readyz")
                if response.status == 200:
                    break
            except ConnectionError:
                pass
            time.sleep(0.2)
        else:
            sys.exit(f"FAILED: no response through nginx: {log.read_text()}")
        check("max-age=" in (response.getheader("strict-transport-security") or ""), "no Strict-Transport-Security")

        redirect = http.client.HTTPConnection("127.0.0.1", plain, timeout=60)
        redirect.request("POST", "/api/auth/sign-in/email?x=1", headers={"host": HOST})
        response = redirect.getresponse()
        check((response.status, response.getheader("location")) == (308, f"https://{HOST}/api/auth/sign-in/email?x=1"), "the redirect to https")

        account = {"name": "Ada", "email": "ada@example.com", "password": "correct horse battery staple"}
        claim = {"x-forwarded-for": CLAIMED, "forwarded": f"for={CLAIMED}"}
        response, text, cookies = browser.send("POST", "/api/auth/sign-up/email", account, claim)
        check(response.status == 200 and cookies, f"sign-up through nginx: {response.status} {text}")
        for cookie in cookies:
            attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
            check({"secure", "httponly"} <= attributes, f"a cookie lacks Secure or HttpOnly: {cookie}")
            check(cookie.startswith("__Secure-"), f"a cookie without the prefix of https: {cookie}")
        response, text, _ = browser.send("GET", "/api/auth/get-session")
        session = json.loads(text)["session"]
        check(session["ipAddress"] == CLIENT, f"the client is {CLIENT}, and the session says {session['ipAddress']}")
        response, _, _ = browser.send("POST", "/api/auth/sign-out", {}, {"origin": "https://evil.example"})
        check(response.status == 403, f"a page of another origin signs out: {response.status}")
        response, _, _ = browser.send("POST", "/api/auth/sign-in/email", {**account, "name": "x" * 70_000})
        check(response.status == 413, f"nginx passes a large body on: {response.status}")
        response, _, _ = browser.send("POST", "/api/auth/sign-out", {})
        check(response.status == 200, f"sign-out: {response.status}")
        response, text, _ = browser.send("GET", "/api/auth/get-session")
        check(json.loads(text) is None, "the session goes on")

        response, _, _ = browser.send("GET", "/admin/users")
        check(response.status == 404 and "x-request-id" not in response.headers, f"the administration API outside: {response.status}")

        grace = int(re.fullmatch(r"(\d+)s", str(server["stop_grace_period"]))[1])

        def stop(process):
            process.send_signal(signal.SIGTERM)
            check(process.wait(grace) == 0, "the server does not stop in time")

        def started(port):
            process = start(port)
            ready(port)
            return process

        nodes = {port: process, other: started(other)}
        statuses = rolled(browser, nodes, started, stop)
        check(set(statuses) == {200} and statuses[200] > 20, f"while nodes are restarted: {statuses}")
        for process in nodes.values():
            stop(process)
    text = log.read_text()
    check(not re.search(r"CRITICAL|ERROR|forwarded", text), f"the log: {text[-3000:]}")
    print("   migrated by the step, served behind nginx: https, Secure cookies, the client's address, other origins refused, two nodes restarted")


main(*sys.argv[1:])
