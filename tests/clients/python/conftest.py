"""What the tests stand on: a client generated from the contract, and the real server."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from server import REPOSITORY, Server

CONTRACT = REPOSITORY / "openapi" / "better-auth.yaml"
GENERATION_LIMIT_SECONDS = 300


@pytest.fixture(scope="session")
def generated(tmp_path_factory):
    """The directory of the client that openapi-generator makes of the contract, as anybody would make it."""
    directory = tmp_path_factory.mktemp("generated")
    generator = Path(sys.executable).with_name("openapi-generator-cli")
    command = [generator, "generate", "-i", CONTRACT, "-g", "python", "--package-name", "better_auth", "-o", directory]
    done = subprocess.run(command, capture_output=True, text=True, timeout=GENERATION_LIMIT_SECONDS)
    assert done.returncode == 0, f"the client could not be generated:\n{done.stdout}\n{done.stderr}"
    return directory


@pytest.fixture(scope="session")
def better_auth(generated):
    """The generated package."""
    sys.path.insert(0, os.fspath(generated))
    import better_auth

    assert Path(better_auth.__file__).is_relative_to(generated), "another package of this name is installed"
    return better_auth


@pytest.fixture
def server(tmp_path):
    """A server of the test's own."""
    with Server(tmp_path) as server:
        yield server
