"""Processes of this run: found by /proc, signalled by id."""

import os
import signal
import time
from pathlib import Path


def send(pids, number):
    """Signals those that are still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def runs_program(pid, name):
    """Whether the process is there and is this program. A process id may have been given to another one meanwhile."""
    try:
        return Path(f"/proc/{pid}/exe").resolve().name == name
    except OSError:
        return False


def descendants(pid):
    """The children of a process, and theirs."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    found = []
    for child in map(int, children):
        found += [child, *descendants(child)]
    return found


def below(folder):
    """Processes that work in a directory: all of this run do, also those whose parents are gone."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").resolve().is_relative_to(folder):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def end_below(folder):
    """Ends all of them at once, and waits until they are gone."""
    for _ in range(100):
        pids = [pid for pid in below(folder) if not is_zombie(pid)]
        if not pids:
            return
        send(pids, signal.SIGKILL)
        time.sleep(0.05)


def is_zombie(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True
