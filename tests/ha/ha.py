"""The server on a PostgreSQL cluster that fails over. `run` beside this file starts it."""

import argparse
import asyncio
import json
import math
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import report
import things
from cluster import Cluster
from faults import KINDS
from nodes import start_nodes
from plants import PLANTS
from recorder import Recorder
from run import Run

# The faults of a short run.
SHORT = ["crash", "node", "switchover", "freeze", "lost"]
# What a wrong server is tried under: a failover, and the shortest one.
FAULT_OF_PLANTS = "switchover"


def arguments():
    parser = argparse.ArgumentParser(prog="tests/ha/run")
    parser.add_argument("binary", type=Path, help="the server")
    parser.add_argument("--rounds", type=int, default=len(SHORT), help=f"by default {len(SHORT)}: {', '.join(SHORT)}")
    parser.add_argument("--minutes", type=float, default=math.inf, help="begin no round after so many")
    parser.add_argument("--faults", help=f"in turn, separated by commas; by default all in a longer run: {', '.join(KINDS)}")
    parser.add_argument("--things", type=int, default=1, help="things of each kind in a round; by default 1")
    parser.add_argument("--seed", type=int, help="of what is random; faults and clocks are not bound by it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    parser.add_argument("--history", type=Path, metavar="FILE", help="write all operations there")
    parser.add_argument("--without-plants", action="store_true", help="do not try whether wrong servers are found")
    parser.add_argument("--keep", action="store_true", help="keep the directory of the run, with all logs")
    parser.add_argument("--checker", type=Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.faults.split(",") if options.faults else (SHORT if options.rounds <= len(SHORT) else list(KINDS))
    if unknown := [name for name in names if name not in KINDS]:
        parser.error(f"not a fault: {', '.join(unknown)}; there are {', '.join(KINDS)}")
    options.faults = names
    return options


def say(text):
    print(text, flush=True)


async def play(options, folder):
    """Whether all was as it has to be."""
    began = time.monotonic()
    cluster = Cluster(folder / "cluster")
    await cluster.start()
    nodes = await start_nodes(options.binary.resolve(), folder, cluster)
    say(f"three databases and two nodes are up after {time.monotonic() - began:.0f} s")
    try:
        key = await create_key(nodes[0])
        faults = possible(options.faults, cluster)
        run = Run(cluster, Recorder(nodes, key), things.ALL * options.things)
        is_whole = await play_rounds(run, options.rounds, faults, began + 60 * options.minutes)
        result = report.summary(run, report.check(options.checker, run.recorder.operations))
        plants = []
        if is_whole and not options.without_plants:
            plants = [await find(plant, cluster, nodes, key, options.checker) for plant in PLANTS]
    finally:
        for node in nodes:
            await asyncio.to_thread(node.stop)
    report.show(result, plants)
    if options.json:
        report.write(options.json, result, plants)
    if options.history:
        options.history.write_text(json.dumps({"operations": run.recorder.operations}))
    return report.is_good(result, plants)


def possible(faults, cluster):
    """Without those that this machine does not allow."""
    if "disk" in faults and not all(member.has_own_disk for member in cluster.members):
        say("left out: disk (only root can mount a small one)")
        faults = [name for name in faults if name != "disk"]
        if not faults:
            raise SystemExit(2)
    return faults


async def play_rounds(run, rounds, faults, until=math.inf, what="round"):
    """Whether nothing but the time ended it early. What did is among what is wrong."""
    try:
        await run.start()
        for number in range(1, rounds + 1):
            if time.monotonic() > until:
                break
            played = await run.round(number, faults[(number - 1) % len(faults)])
            say(
                f"{what} {number}, {played['fault']}: {played['things']} things, {played['without_service']:.1f} s without service, "
                f"{played['without_commit']:.1f} s without commits of the cluster; {played['seconds']:.0f} s"
            )
        await run.look_at(run.recorder.acknowledged)
        return True
    except (OSError, RuntimeError) as error:
        run.recorder.wrong(f"the run ended early: {type(error).__name__}: {error}")
        return False
    finally:
        await run.stop()


async def find(plant, cluster, nodes, key, checker):
    """Whether a wrong server is found to be wrong, in the way it is."""
    run = Run(cluster, Recorder(nodes, key, plant()), plant.makers)
    await play_rounds(run, 1, [FAULT_OF_PLANTS], what=f"{plant.name}, round")
    violations = report.check(checker, run.recorder.operations)["violations"]
    return {"name": plant.name, "found": any(violation["why"] == plant.expected for violation in violations)}


async def create_key(node):
    process = await asyncio.create_subprocess_exec(
        node.binary, "api-key", "create", "--name", "ha", env=node.environment(), cwd=node.folder, stdout=subprocess.PIPE
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("a key of the API could not be made")
    return out.decode().splitlines()[-1]


async def until_asked_to_end(options, folder):
    """SIGTERM ends it as Ctrl-C does."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)
    return await play(options, folder)


def main():
    options = arguments()
    random.seed(options.seed)
    # Not below $TMPDIR, which may be closed to the user of PostgreSQL; short, because paths of sockets have to be.
    folder = Path(tempfile.mkdtemp(prefix="countersign-ha-", dir="/tmp"))
    folder.chmod(0o755)
    keep = ["--keep"] if options.keep else []
    guard = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("guard.py"), folder, *keep], stdin=subprocess.PIPE, start_new_session=True, cwd="/"
    )
    try:
        is_good = asyncio.run(until_asked_to_end(options, folder))
    finally:
        guard.stdin.close()
        guard.wait()
        if options.keep:
            say(f"kept: {folder}")
    sys.exit(0 if is_good else 1)


main()
