"""Property tests from outside: Schemathesis against all contracts on both databases. See README.md."""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [os.fspath(HERE), os.fspath(HERE.parent / "clients/python")]

import yaml

import postgres
from server import REPOSITORY, Server, binary

CONTRACTS = ("better-auth", "fusionauth", "admin")
DATABASES = ("sqlite", "postgresql")

# Where the document's paths begin.
BASE_PATHS = {"better-auth": "/api/auth", "fusionauth": "", "admin": "/admin"}

# Passkeys are for a host name.
HOST = "localhost"

# What keeps one person from being used, and has tests of its own, is out of the way here.
SETTINGS = {
    "COUNTERSIGN_RATE_LIMITS": "off",
    "COUNTERSIGN_CODES_PER_HOUR": "10000",
    "COUNTERSIGN_HASH_QUEUE": "1024",
}

# The coverage phase is of one size whatever is asked for. What is missing after it is made up in rounds, each with a
# seed of its own; so many have always been enough, and a run that needs more does not get anywhere.
ROUNDS = 40
FIRST_ROUND_EXAMPLES = 10

# Operations that refuse every request: no session has a field that could be updated, as on the real server without additional
# fields. The contract has the success for the types of clients.
WITHOUT_SUCCESS = {"updateSession"}


def main():
    # So that an end from outside takes the servers with it, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = arguments()
    os.environ["COUNTERSIGN_BINARY"] = os.fspath(options.binary or binary())
    databases = DATABASES if options.database == "both" else (options.database,)
    combinations = [(contract, database) for database in databases for contract in options.contract or CONTRACTS]
    share = -(-options.cases // len(combinations))
    print(f"server: {os.environ['COUNTERSIGN_BINARY']}, seed: {options.seed}, cases: {options.cases}", flush=True)
    started = time.monotonic()
    with ExitStack() as stack:
        # Asked for and not there is an error, before anything runs.
        cluster = stack.enter_context(postgres.server()) if "postgresql" in databases else None
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="countersign-schemathesis-")))
        with ThreadPoolExecutor(options.jobs) as executor:
            run = lambda combination: Combination(*combination, cluster, options, directory).run(share)
            results = list(executor.map(run, combinations))
    print("\ncontract     database        cases  rounds  seconds  result")
    for result in results:
        print(result)
    sent = sum(result.cases for result in results)
    has_failed = any(result.has_failed for result in results)
    print(f"{'all':<25}{sent:>8}{'':>8}{time.monotonic() - started:>9.0f}  {'FAILED' if has_failed else 'passed'}")
    if sent < options.cases:
        print(f"only {sent} of {options.cases} cases were sent", file=sys.stderr)
        return 1
    return 1 if has_failed else 0


def arguments():
    parser = argparse.ArgumentParser(prog="tests/schemathesis/run", description=__doc__)
    parser.add_argument("--cases", type=int, default=5000, help="how many to send at least, over all combinations (%(default)s)")
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both", help="(%(default)s)")
    parser.add_argument("--contract", choices=CONTRACTS, action="append", help="only this one")
    parser.add_argument("--jobs", type=int, default=2, help="combinations to run at the same time (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same cases (%(default)s)")
    parser.add_argument("binary", nargs="?", type=Path, help="the server; else COUNTERSIGN_BINARY, else what cargo built")
    options = parser.parse_args()
    if options.binary and not options.binary.is_file():
        parser.error(f"there is no server binary at {options.binary}")
    return options


class Combination:
    """One contract on one database."""

    def __init__(self, contract, database, cluster, options, directory):
        self._contract = contract
        self._database = database
        self._cluster = cluster
        self._seed = options.seed
        self._directory = directory / f"{contract}-{database}"
        self._document = REPOSITORY / "openapi" / f"{contract}.yaml"
        self.cases = 0
        self.rounds = 0
        self.seconds = 0
        self.has_failed = False
        self._responses = Counter()

    def __str__(self):
        verdict = "FAILED" if self.has_failed else "passed"
        return f"{self._contract:<13}{self._database:<12}{self.cases:>8}{self.rounds:>8}{self.seconds:>9.0f}  {verdict}"

    def run(self, wanted):
        """Sends at least so many cases, unless one fails. What it prints appears at the end of it, in one piece."""
        started = time.monotonic()
        self._directory.mkdir()
        complaint = ""
        try:
            with ExitStack() as stack:
                self._rounds(stack, wanted)
        except AssertionError as told:
            # What the server says of itself at its end: a response that broke the contract, say.
            self.has_failed = True
            complaint = f"\n== {self._contract} on {self._database}: the server\n{told}\n"
        self.seconds = time.monotonic() - started
        report = self._report_of_responses()
        print(self._output.read_text() + complaint + report, flush=True)
        return self

    def _rounds(self, stack, wanted):
        settings = dict(SETTINGS)
        if self._database == "postgresql":
            settings["COUNTERSIGN_DATABASE_URL"] = stack.enter_context(postgres.database(self._cluster))
        server = stack.enter_context(Server(self._directory, settings, HOST))
        environment = self._environment(server)
        examples = FIRST_ROUND_EXAMPLES
        while self.cases < wanted and self.rounds < ROUNDS and not self.has_failed:
            self._round(server, environment, examples)
            examples = self._examples_for(wanted - self.cases)

    @property
    def _output(self):
        return self._directory / "output"

    def _report_of_responses(self):
        """What was answered; an operation that never succeeded was not tested, so that is a failure."""
        report = f"\n== {self._contract} on {self._database}: responses by operation and status\n"
        for operation in self._operations():
            responses = {status: count for (name, status), count in sorted(self._responses.items()) if name == operation}
            has_succeeded = operation in WITHOUT_SUCCESS or any(200 <= status < 400 for status in responses)
            shown = "  ".join(f"{status}: {count}" for status, count in responses.items())
            report += f"{operation:<40}{shown}{'' if has_succeeded else '  NEVER SUCCEEDED'}\n"
            self.has_failed |= not has_succeeded
        return report

    def _operations(self):
        paths = yaml.safe_load(self._document.read_text())["paths"].values()
        methods = lambda operations: (operations[method] for method in operations if method != "parameters")
        return [operation["operationId"] for operations in paths for operation in methods(operations)]

    def _environment(self, server):
        environment = dict(os.environ)
        environment |= {
            "SCHEMATHESIS_HOOKS": "hooks",
            "PYTHONPATH": os.fspath(HERE),
            "FUZZ_CONTRACT": os.fspath(self._document),
            "FUZZ_ORIGIN": server.origin,
            "FUZZ_API_KEY": server.api_key(),
            "FUZZ_ADMIN_KEY": server.api_key("--allow", "admin"),
            "FUZZ_OUTBOX": os.fspath(self._directory / "outbox.ndjson"),
        }
        return environment

    def _examples_for(self, missing):
        """How many examples for each operation make up for what is missing: they are half of a round and more."""
        return max(5, min(200, missing // len(self._operations()) + 1))

    def _round(self, server, environment, examples):
        responses = self._directory / f"responses-{self.rounds}.json"
        phases = "examples,coverage,fuzzing,stateful" if self.rounds == 0 else "fuzzing,stateful"
        command = [Path(sys.executable).with_name("schemathesis"), "--config-file", HERE / "schemathesis.toml", "run"]
        command += [self._document, "--url", server.origin + BASE_PATHS[self._contract], "--phases", phases]
        command += ["--seed", str(self._seed + self.rounds), "--max-examples", str(examples), "--no-color"]
        command += ["--generation-database", "none"]
        title = f"{self._contract} on {self._database}, round {self.rounds}: {phases}"
        print(f"{title} ({self.cases} cases so far)", flush=True)
        environment |= {"FUZZ_RESPONSES": os.fspath(responses), "FUZZ_ROUND": str(self.rounds)}
        with self._output.open("a") as output:
            print(f"\n== {title}", file=output, flush=True)
            done = subprocess.run(
                list(map(os.fspath, command)), cwd=self._directory, env=environment, stdout=output, stderr=output
            )
        self.rounds += 1
        self.has_failed = done.returncode != 0
        if responses.exists():
            for response in json.loads(responses.read_text()):
                self._responses[response["operation"], response["status"]] += response["count"]
                self.cases += response["count"]


if __name__ == "__main__":
    sys.exit(main())
