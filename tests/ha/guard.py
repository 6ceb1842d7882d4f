"""Clears up after a run, however it ends: waits until the other end of its standard input is gone.

usage: guard.py DIRECTORY [--keep]
"""

import shutil
import subprocess
import sys
from pathlib import Path

import processes


def main():
    folder, keeps = Path(sys.argv[1]), "--keep" in sys.argv
    sys.stdin.read()
    processes.end_below(folder)
    for line in Path("/proc/mounts").read_text().splitlines():
        place = line.split()[1]
        if Path(place).is_relative_to(folder):
            subprocess.run(["umount", place], check=True)
    if not keeps:
        shutil.rmtree(folder)


main()
