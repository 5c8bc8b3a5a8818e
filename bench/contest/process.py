# SPDX-License-Identifier: Apache-2.0
"""Child processes that end with us, and what they use."""
import ctypes
import os
import signal
import socket
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
_libc = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def run(command, **options):
    """Runs it to its end; what it said is in the error if it fails."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(str(word) for word in command)} ended with {done.returncode}:\n{done.stdout[-2000:]}")
    return done.stdout


def await_that(what, true, limit=600, pause=0.002):
    """Waits until `true()` is; for a contestant that has to get somewhere."""
    end = time.monotonic() + limit
    while not (found := true()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {limit} s for {what}")
        time.sleep(pause)
    return found


def used(pid):
    """(CPU seconds so far, most resident memory in MiB) of a running process."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        numbers = file.read().rpartition(")")[2].split()
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        peak = next(line for line in file if line.startswith("VmHWM:"))
    return (int(numbers[11]) + int(numbers[12])) / TICKS, int(peak.split()[1]) / 1024
