"""The Kubernetes manifest with the program: its environment, probes, ports and times, two pods on PostgreSQL.

usage: check_kubernetes.py BINARY MANIFEST DATABASE_URL"""

import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import yaml


def check(holds, text):
    if not holds:
        sys.exit(f"FAILED: {text}")


def service_variables(documents):
    """What kubelet adds for each service of the namespace, where enableServiceLinks is not false."""
    variables = {}
    for document in documents:
        if document["kind"] != "Service":
            continue
        name = document["metadata"]["name"].upper().replace("-", "_")
        address = "10.96.0.7"
        first = document["spec"]["ports"][0]
        variables[f"{name}_SERVICE_HOST"] = address
        variables[f"{name}_SERVICE_PORT"] = str(first["port"])
        variables[f"{name}_PORT"] = f"tcp://{address}:{first['port']}"
        for port in document["spec"]["ports"]:
            number = port["port"]
            variables[f"{name}_SERVICE_PORT_{port['name'].upper()}"] = str(number)
            variables[f"{name}_PORT_{number}_TCP"] = f"tcp://{address}:{number}"
            variables[f"{name}_PORT_{number}_TCP_PROTO"] = "tcp"
            variables[f"{name}_PORT_{number}_TCP_PORT"] = str(number)
            variables[f"{name}_PORT_{number}_TCP_ADDR"] = address
    return variables


def environment(container, secrets):
    """The variables of the container, with secrets from `secrets`."""
    variables = {}
    for variable in container["env"]:
        reference = variable.get("valueFrom", {}).get("secretKeyRef")
        variables[variable["name"]] = secrets[reference["key"]] if reference else variable["value"]
    return variables


def request(url):
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
    except (urllib.error.URLError, ConnectionError):
        return None


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    return [one.getsockname()[1] for one in sockets]


def main(binary, manifest, database_url):
    documents = list(yaml.safe_load_all(Path(manifest).read_text()))
    [deployment] = [document for document in documents if document["kind"] == "Deployment"]
    [template] = [deployment["spec"]["template"]]
    pod = template["spec"]
    [container] = pod["containers"]

    # What the parts say of one another.
    labels = template["metadata"]["labels"]
    for document in documents:
        selector = document["spec"].get("selector") or document["spec"].get("podSelector")
        if selector:
            wanted = selector.get("matchLabels", selector)
            check(wanted.items() <= labels.items(), f"{document['kind']} selects other pods: {wanted}")
    check(deployment["spec"]["replicas"] >= 2, "a deployment has two nodes at least")
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    version = re.search(r"\S+$", subprocess.run([binary, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout)[0]
    check(container["image"].endswith(f":{version}"), f"the image is {container['image']}, the program {version}")
    secret = yaml.safe_load((Path(manifest).parent / "secret.yaml").read_text())["stringData"]

    # The restricted Pod Security Standard, and a root that is read only.
    of_pod, own = pod["securityContext"], container["securityContext"]
    check(of_pod["runAsNonRoot"] and of_pod["seccompProfile"]["type"] == "RuntimeDefault", "the pod's securityContext")
    check(own["capabilities"] == {"drop": ["ALL"]} and not own["allowPrivilegeEscalation"], "the container's securityContext")
    check(own["readOnlyRootFilesystem"] and "volumes" not in pod, "the pod can write somewhere")
    check(pod["automountServiceAccountToken"] is False, "the pod has a credential for the cluster")

    keys = subprocess.run([binary, "generate-keyring"], check=True, stdout=subprocess.PIPE, text=True).stdout
    secrets = {"keyring": keys, "database-url": database_url, "smtp-url": "smtps://user:hunter2@mail.example.com"}
    check(secrets.keys() == secret.keys(), f"the Secret has {secret.keys()}")
    variables = environment(container, secrets)
    # With the variables that the manifest keeps away, for those who leave enableServiceLinks out.
    linked = {**variables, **service_variables(documents)}
    check(any(name.startswith("COUNTERSIGN_PORT") for name in linked), "there are no variables of services")

    report = subprocess.run([binary, "check-config"], env=linked, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    check(report.returncode == 0, f"check-config: {report.stdout}")
    check("hunter2" not in report.stdout and keys.split()[-1] not in report.stdout, "check-config shows a secret")
    notes = re.findall(r"^note: (.*)", report.stdout, re.MULTILINE)
    check([note for note in notes if not note.startswith("metrics at")] == [], f"check-config has notes: {notes}")
    setting = lambda name: re.search(rf"^{re.escape(name)}\s+(\S+)", report.stdout, re.MULTILINE)[1]
    check(setting("listen") == f"0.0.0.0:{ports['http']}", "the port of the API")
    check(setting("operations.listen") == f"0.0.0.0:{ports['operations']}", "the port of operations")
    # 19 MiB for each password that is hashed, and 128 MiB for all else.
    memory = int(re.fullmatch(r"(\d+)Mi", container["resources"]["limits"]["memory"])[1])
    hashing = 19 * int(setting("limits.hash_threads"))
    check(hashing + 128 <= memory, f"{hashing} MiB for passwords that are hashed at once, of {memory}")
    until_end = container["lifecycle"]["preStop"]["sleep"]["seconds"] + int(setting("shutdown_grace"))
    check(pod["terminationGracePeriodSeconds"] > until_end, f"it takes up to {until_end} seconds to stop")

    # Values of the template are no secrets that a server would start with.
    refused = subprocess.run(
        [binary, "check-config"], env=environment(container, secret), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    check(refused.returncode != 0 and "database.url" in refused.stdout, "the values of secret.yaml are accepted")

    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        pods = []
        for _ in range(2):
            http, operations = free_ports(2)
            # Two pods share this machine's addresses; all else is as in the manifest.
            own = {
                **linked,
                "COUNTERSIGN_LISTEN": f"127.0.0.1:{http}",
                "COUNTERSIGN_OPERATIONS_LISTEN": f"127.0.0.1:{operations}",
            }
            pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
            server = subprocess.Popen([binary], env=own, cwd=directory, text=True, **pipes)
            stack.callback(server.kill)
            pods.append((server, {"http": http, "operations": operations}))
        url = lambda of, probe: f"http://127.0.0.1:{of[probes[probe]['port']]}{probes[probe]['path']}"
        for server, own in pods:
            for _ in range(300):
                if server.poll() is not None or request(url(own, "startup")) == 200:
                    break
                time.sleep(0.2)
            check(server.poll() is None, f"a pod does not start: {server.poll() is not None and server.stderr.read()}")
            for probe in probes:
                check(request(url(own, probe)) == 200, f"the {probe} probe fails: {probes[probe]}")
            check(request(f"http://127.0.0.1:{own['http']}/metrics") == 404, "metrics are at the port of clients")
            check(request(f"http://127.0.0.1:{own['operations']}/metrics") == 200, "no metrics at the port of operations")

        # An account that one of them made is one of the other's.
        first, second = (own["http"] for _, own in pods)
        body = json.dumps({"name": "Ada", "email": "ada@example.com", "password": "correct horse battery staple"}).encode()
        made = urllib.request.Request(
            f"http://127.0.0.1:{first}/api/auth/sign-up/email", data=body, headers={"content-type": "application/json"}
        )
        with urllib.request.urlopen(made, timeout=30) as response:
            token = json.load(response)["token"]
        seen = urllib.request.Request(
            f"http://127.0.0.1:{second}/api/auth/get-session", headers={"authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(seen, timeout=30) as response:
            check(json.load(response)["user"]["email"] == "ada@example.com", "the pods do not share their accounts")

        for server, _ in pods:
            began = time.monotonic()
            server.send_signal(signal.SIGTERM)
            # Read to the end, so that a full pipe holds nothing up.
            log = server.communicate(timeout=pod["terminationGracePeriodSeconds"])[1]
            check(server.returncode == 0 and "stopped" in log, f"a pod ends with {server.returncode}: {log[-2000:]}")
            took = time.monotonic() - began
            check(log.startswith("{"), "the log is not JSON")
        check(list(Path(directory).iterdir()) == [], "a pod writes into its working directory, which is read only")
    print(f"   {len(documents)} documents, {len(linked) - len(variables)} variables of services ignored, two pods ready on")
    print(f"   PostgreSQL by the probes of the manifest; the last one stopped in {took:.1f} seconds")


main(*sys.argv[1:])
