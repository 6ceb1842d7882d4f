"""What Schemathesis is told about this server: who calls, which values fit them, and what else has to hold.

Loaded by Schemathesis (SCHEMATHESIS_HOOKS); fuzz.py puts the rest into the environment.
"""

import atexit
import json
import os
import random
import sys
import zlib
from collections import Counter
from pathlib import Path

sys.path[:0] = [os.fspath(Path(__file__).resolve().parent), os.fspath(Path(__file__).resolve().parents[1] / "clients/python")]

import schemathesis
from hypothesis import strategies
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree

import own_checks
from administration import Administration
from better_auth import BetterAuth
from contract import Contract
from fusionauth import FusionAuth
from service import Service

CONTRACT = Contract(os.environ["FUZZ_CONTRACT"])
SERVICE = Service.of_environment()
DIALECT = {"better-auth": BetterAuth, "fusionauth": FusionAuth, "admin": Administration}[CONTRACT.name](SERVICE)

# How often a value that can succeed takes the place of a generated one. What is in a header or a path decides whether
# the rest of the request is looked at all, so it is right most of the time.
SHARE_OF_FITTING = {"headers": 0.9, "path_parameters": 0.85, "query": 0.6}
# In a chain of calls, most values come from the responses before.
SHARE_IN_CHAINS = {"headers": 0.9, "path_parameters": 0.2, "query": 0.3}
# Of the bodies that are right by their schema, half get all that fits: some operations want several values to be right.
# What is wrong on purpose stays so for the most part.
SHARE_IN_BODIES = {"right": (0.5, 1.0), "wrong": (0.3,), "chained": (0.2, 0.2, 1.0)}

# Addresses of every kind that the contract's words allow, and no others: before the `@`, letters, digits and `_ ' + - .`; after it
# a host name of at least two labels, the last of letters. The word `email` alone leaves more open than servers take.
WORD = strategies.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-", min_size=1, max_size=12)
LABEL = strategies.from_regex(r"[A-Za-z0-9]{1,6}(-[A-Za-z0-9]{1,4})?", fullmatch=True)
LAST_LABEL = strategies.from_regex(r"[A-Za-z]{2,6}", fullmatch=True)
ADDRESS = strategies.builds(
    lambda local, labels, last: f"{'.'.join(local)}@{'.'.join([*labels, last])}",
    strategies.lists(WORD, min_size=1, max_size=3),
    strategies.lists(LABEL, min_size=1, max_size=2),
    LAST_LABEL,
)
schemathesis.openapi.format("email", ADDRESS)

own_checks.register(CONTRACT)

# Headers that come with the caller.
CREDENTIALS = ("Authorization", "Origin")

# What was answered how often, by operation and status.
RESPONSES = Counter()
# Ids of cases that were a DELETE after which the thing is still there, as the contract says.
NOT_THE_END = set()


@atexit.register
def write_responses():
    """Leaves the counts for fuzz.py, which adds them up and looks for what was never reached."""
    responses = [{"operation": operation, "status": status, "count": count} for (operation, status), count in RESPONSES.items()]
    Path(os.environ["FUZZ_RESPONSES"]).write_text(json.dumps(responses))


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Adds the links of the dialect: which value of a response another operation takes."""
    for operations in raw_schema["paths"].values():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            links = DIALECT.LINKS.get(operation["operationId"])
            if links:
                operation["responses"]["200"]["links"] = {
                    f"{index}": {"operationId": target, "requestBody": body} for index, (target, body) in enumerate(links)
                }


def chance_of(case):
    """Chance that depends on what was generated and on nothing else, so that the same seed makes the same run."""
    headers = sorted((name, value) for name, value in (case.headers or {}).items() if name not in CREDENTIALS)
    seen = (case.operation.label, case.path_parameters, case.query, case.body, headers)
    return random.Random(zlib.crc32(repr(seen).encode("utf-8", "surrogatepass")))


@schemathesis.auth(refresh_interval=None)
class Caller:
    """Somebody whom the operation is for."""

    def get(self, case, context):
        return DIALECT.credentials(case, chance_of(case), is_in_a_chain(case))

    def set(self, case, data, context):
        headers, cookies = data
        case.headers.update(headers)
        if cookies:
            case.cookies = {**(case.cookies or {}), **cookies}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Puts values that can succeed where generated ones cannot, but not where the case wants to be wrong."""
    chance = chance_of(case)
    tested = tested_places(case)
    share = {**(SHARE_IN_CHAINS if is_in_a_chain(case) else SHARE_OF_FITTING), "body": share_in_body(case, chance)}
    for (location, name), value in DIALECT.fitting(case, DIALECT.person_of(case), chance).items():
        if (location, name) in tested or chance.random() >= share[location]:
            continue
        if location == "body":
            path = name.split(".")
            if not any(is_on_the_way(path, wrong) for wrong in wrong_in_body(case)):
                put_into_body(case, path, value)
        elif declares(case.operation, location, name):
            container = getattr(case, location)
            if container is None:
                container = {}
                setattr(case, location, container)
            container[name] = value()


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Drops what is none.

    A request of the right form may be refused for what it asks, in the words for that: Schemathesis takes every 400, 410,
    421, 422 and 423 after a request that fits its schema for a contradiction. A schema cannot say that a password is the
    right one, or a code not used yet; the dialects say it with these statuses.

    Not every DELETE is the end of what its path names: Schemathesis knows no other.

    In FusionAuth's dialect `null` as the whole body is none, as the contract says for all operations at once.
    """
    if isinstance(failure, AcceptedNegativeData):
        return not (CONTRACT.name == "fusionauth" and case.body is None and is_wrong_in_its_body_only(case))
    if isinstance(failure, UseAfterFree):
        return failure.deleted_case_id not in NOT_THE_END
    return not (isinstance(failure, RejectedPositiveData) and DIALECT.is_refusal(case, response))


def is_wrong_in_its_body_only(case):
    places = [place for place in ParameterLocation if place != ParameterLocation.BODY]
    return case.meta is not None and not any(case.meta.is_negative_at(place) for place in places)


@schemathesis.hook
def after_call(context, case, response):
    RESPONSES[case.operation.definition.raw["operationId"], response.status_code] += 1
    if case.method.upper() == "DELETE" and not DIALECT.is_the_end(case):
        NOT_THE_END.add(case.id)
    DIALECT.answered(case, response)


def is_in_a_chain(case):
    return case.meta is not None and case.meta.phase.name == "stateful"


def share_in_body(case, chance):
    if case.meta is not None and case.meta.is_negative_at(ParameterLocation.BODY):
        return chance.choice(SHARE_IN_BODIES["wrong"])
    return chance.choice(SHARE_IN_BODIES["chained" if is_in_a_chain(case) else "right"])


def tested_places(case):
    """Where this case is wrong on purpose, or at a boundary."""
    if case.meta is None:
        return set()
    data = case.meta.phase.data
    places = {(mutation.parameter_location, mutation.parameter) for mutation in data.mutations}
    places.add((data.parameter_location, data.parameter))
    return {(location.container_name, name) for location, name in places if location is not None}


def wrong_in_body(case):
    """Paths of the properties of the body that are wrong on purpose: a fitting value would make them right."""
    if case.meta is None:
        return []
    mutations = case.meta.phase.data.mutations
    pointers = [mutation.schema_pointer.split("/") for mutation in mutations if mutation.parameter_location is ParameterLocation.BODY]
    return [[name for before, name in zip(pointer, pointer[1:]) if before == "properties"] for pointer in pointers]


def is_on_the_way(path, other):
    """Whether one of two paths leads to the other."""
    shared = min(len(path), len(other))
    return shared > 0 and path[:shared] == other[:shared]


def declares(operation, location, name):
    return any(
        parameter.name == name and parameter.location.container_name == location for parameter in operation.iter_parameters()
    )


def put_into_body(case, path, value):
    """Sets what the body's schema has at a path, on a copy."""
    alternative = case.operation.get_body_for_media_type(case.media_type) if case.media_type else None
    if alternative is None or not isinstance(case.body, dict):
        return
    names = CONTRACT.properties_at(case.operation.path, case.method, path[:-1])
    if path[-1] not in names:
        return
    body = json.loads(json.dumps(case.body)) if is_json(case.body) else None
    if body is None:
        return
    inner = body
    for name in path[:-1]:
        if inner.get(name) is None:
            inner[name] = {}
        inner = inner[name]
        if not isinstance(inner, dict):
            return
    inner[path[-1]] = value()
    case.body = body


def is_json(value):
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
