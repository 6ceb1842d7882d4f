"""What the tests stand on: clients generated from the contracts, and the real server."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from server import REPOSITORY, Server

GENERATION_LIMIT_SECONDS = 300


def generate(contract, package, directory):
    """Has openapi-generator make a Python package of a contract, as anybody would."""
    generator = Path(sys.executable).with_name("openapi-generator-cli")
    document = REPOSITORY / "openapi" / contract
    command = [generator, "generate", "-i", document, "-g", "python", "--package-name", package, "-o", directory]
    done = subprocess.run(command, capture_output=True, text=True, timeout=GENERATION_LIMIT_SECONDS)
    assert done.returncode == 0, f"the client could not be generated:\n{done.stdout}\n{done.stderr}"
    return directory


def import_from(directory, package):
    """Imports a generated package, and no other of its name."""
    sys.path.insert(0, os.fspath(directory))
    module = importlib.import_module(package)
    assert Path(module.__file__).is_relative_to(directory), f"another package is called {package}"
    return module


@pytest.fixture(scope="session")
def generated(tmp_path_factory):
    """The directory of the client of the Better Auth dialect."""
    return generate("better-auth.yaml", "better_auth", tmp_path_factory.mktemp("better-auth"))


@pytest.fixture(scope="session")
def better_auth(generated):
    """The package in it."""
    return import_from(generated, "better_auth")


@pytest.fixture(scope="session")
def countersign_fusionauth(tmp_path_factory):
    """The generated client of the FusionAuth dialect; FusionAuth's own client is called `fusionauth`."""
    package = "countersign_fusionauth"
    return import_from(generate("fusionauth.yaml", package, tmp_path_factory.mktemp("fusionauth")), package)


@pytest.fixture
def server(tmp_path):
    """A server of the test's own."""
    with Server(tmp_path) as server:
        yield server
