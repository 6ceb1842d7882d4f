"""What a run has shown: a table for people, JSON for programs."""

import json
import math
import subprocess
from pathlib import Path

from faults import KINDS
from nodes import REQUEST_TIMEOUT


# Seconds of a round: until a node served again, until the cluster itself committed again, and until nodes said that they are not
# ready.
FIELDS = ("without_service", "without_commit", "not_ready_after")


def check(checker, operations):
    """What the checker says of a history."""
    done = subprocess.run([checker], input=json.dumps({"operations": operations}), capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"the checker failed: {done.stderr}")
    return json.loads(done.stdout)


def percentile(values, percent):
    """By nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def summary(run, checked):
    """The run as an object."""
    recorder = run.recorder
    by_fault = {}
    for kind, fault in KINDS.items():
        rounds = [played for played in run.rounds if played["fault"] == kind]
        if rounds:
            by_fault[kind] = {"name": fault.name, "rounds": len(rounds), "at_best": fault.at_best} | {
                field: {"median": percentile(values, 50), "p99": percentile(values, 99)}
                for field in FIELDS
                for values in [[played[field] for played in rounds if played[field] is not None]]
                if values
            }
    return {
        "rounds": run.rounds,
        "faults": by_fault,
        "deadline_seconds": REQUEST_TIMEOUT,
        "slowest_seconds": round(recorder.slowest, 2),
        **recorder.counts,
        "acknowledged_changes": len(recorder.acknowledged),
        "answers": outcomes(recorder.operations),
        "checked": checked,
        "wrong": recorder.wrongs + never_made(run) + never_accepted(recorder.operations) + too_little(run),
        "unprepared": run.unprepared,
    }


def kind_of(operation):
    return operation["thing"].split(":")[0]


def outcomes(operations):
    """How often each kind of thing was answered what."""
    table = {}
    for operation in operations:
        counts = table.setdefault(kind_of(operation), {})
        counts[operation["answer"]] = counts.get(operation["answer"], 0) + 1
    return table


def never_made(run):
    """Kinds of things of which no round had one."""
    missing = [name for name, count in run.made.items() if not count] if run.rounds else []
    return [{"round": None, "at": None, "what": f"{name} was never made ready"} for name in missing]


def never_accepted(operations):
    """Kinds of things that show nothing, because none was ever good."""
    bad = [kind for kind, counts in outcomes(operations).items() if not counts.get("accepted")]
    return [{"round": None, "at": None, "what": f"{kind} was never accepted"} for kind in bad]


def too_little(run):
    """A run in which most things could not be made ready has shown nothing."""
    if run.prepared >= 9 * len(run.unprepared) and run.prepared:
        return []
    return [{"round": None, "at": None, "what": f"only {run.prepared} things could be made ready, and {len(run.unprepared)} not"}]


def is_good(result, plants):
    found = all(plant["found"] for plant in plants)
    return found and not result["wrong"] and not result["checked"]["violations"]


def show(result, plants):
    """For people."""
    print(f"\n{'seconds':<64}{'without service':>15} {'without commits':>15} {'not ready after':>15}")
    print(f"{'fault':<58}rounds" + f"{'median':>8}{'p99':>7} " * 3 + "   Patroni's settings at best")
    for fault in result["faults"].values():
        columns = (fault.get(field) for field in FIELDS)
        shown = (f"{one['median']:>8.1f}{one['p99']:>7.1f} " if one else f"{'–':>8}{'–':>7} " for one in columns)
        print(f"{fault['name']:<58}{fault['rounds']:>6}{''.join(shown)}   {fault['at_best']}")
    checked = result["checked"]
    print(
        f"\n{result['requests']} requests, {result['503']} of them 503, {result['cut']} cut off with their node; the slowest took "
        f"{result['slowest_seconds']} s of {result['deadline_seconds']} s\n"
        f"{result['acknowledged_changes']} acknowledged changes looked at\n"
        f"{checked['things']} one-time things and sessions, {checked['operations']} presentations and reads, {checked['unknown']} of "
        f"them without a known outcome; {checked['lost_answers']} used up by one of those\n"
        f"{len(checked['violations'])} histories that are not linearizable, {len(result['wrong'])} other faults"
    )
    for violation in checked["violations"]:
        print(f"\nWRONG {violation['thing']}: {violation['why']}")
        for operation in violation["history"]:
            print(
                f"  {operation['invoked']:9.3f} to {operation['returned']:9.3f}  {operation['node']}  {operation['op']:<8}"
                f"{operation['answer']}, {operation['status']}"
            )
    for fault in result["wrong"]:
        print(f"WRONG in round {fault['round']}, at {fault['at']} s: {fault['what']}")
    for line in result["unprepared"]:
        print(f"not made ready: {line}")
    for plant in plants:
        print(f"planted: {plant['name']}: {'found' if plant['found'] else 'NOT FOUND'}")


def write(path, result, plants):
    Path(path).write_text(json.dumps(result | {"plants": plants}, indent=1) + "\n")
