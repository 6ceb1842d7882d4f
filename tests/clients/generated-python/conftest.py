"""What the tests stand on: clients that openapi-python-client makes of the contracts, and the real server."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from server import REPOSITORY, Server

GENERATION_LIMIT_SECONDS = 300


def generate(dialect, directory):
    """Has openapi-python-client make a package of a contract, as anybody would, and imports it."""
    package = f"generated_{dialect.replace('-', '_')}"
    programs = Path(sys.executable).parent
    command = [programs / "openapi-python-client", "generate", "--path", REPOSITORY / "openapi" / f"{dialect}.yaml"]
    # It formats what it wrote with ruff, which stands beside it.
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command + ["--meta", "none", "--output-path", directory / package],
        capture_output=True,
        text=True,
        env=environment,
        timeout=GENERATION_LIMIT_SECONDS,
    )
    assert done.returncode == 0, f"the client could not be generated:\n{done.stdout}\n{done.stderr}"
    sys.path.insert(0, os.fspath(directory))
    return package


class Package:
    """A generated package; an operation is called by the modules that it is in."""

    def __init__(self, name):
        self._name = name
        self.client = importlib.import_module(f"{name}.client")
        self.models = importlib.import_module(f"{name}.models")

    def call(self, operation, *arguments, **named):
        """Calls `tag.operation`; returns status, headers and parsed body."""
        return importlib.import_module(f"{self._name}.api.{operation}").sync_detailed(*arguments, **named)


@pytest.fixture(scope="session")
def better_auth(tmp_path_factory):
    """The client of the Better Auth dialect."""
    return Package(generate("better-auth", tmp_path_factory.mktemp("better-auth")))


@pytest.fixture(scope="session")
def fusionauth(tmp_path_factory):
    """The client of the FusionAuth dialect."""
    return Package(generate("fusionauth", tmp_path_factory.mktemp("fusionauth")))


@pytest.fixture
def server(tmp_path):
    """A server of the test's own."""
    with Server(tmp_path) as server:
        yield server
