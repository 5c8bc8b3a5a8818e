# SPDX-License-Identifier: Apache-2.0
"""MAIA as a user runs it: the release binary with a pipeline file."""
import os
import signal
import subprocess
import time

from contest.process import await_that, end_with_parent, run, used
from contest.record import Run


class Maia:
    """One pipeline with a folder of its own for file, state and log."""

    def __init__(self, program, folder, name, lines):
        self.program, self.name = program, name
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        self.file = self.folder / f"{name}.yaml"
        self.file.write_text(f"name: {name}\n{lines}")
        self.state = self.folder / "state"
        self.log = self.folder / "log"
        self.process = None

    def _spawn(self, *more):
        with open(self.log, "ab") as log:
            return subprocess.Popen([self.program, "run", self.file, "--state", self.state, *more], stdout=log, stderr=log,
                                    preexec_fn=end_with_parent)

    def catch_up(self, rows):
        """A whole run until everything that was there when it began is at the destination."""
        begin = time.monotonic()
        process = self._spawn("--until-caught-up")
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - begin
        if process.returncode != 0:
            raise RuntimeError(f"maia ended with {process.returncode}: {self.log.read_text()[-2000:]}")
        cpu = usage.ru_utime + usage.ru_stime
        return Run(rows / seconds, seconds, cpu * 1e6 / rows, usage.ru_maxrss / 1024)

    def start(self, *more):
        self.process = self._spawn(*more)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        if self.process.wait(120) != 0:
            raise RuntimeError(f"maia ended with {self.process.returncode}: {self.log.read_text()[-2000:]}")

    def command(self, *words):
        return run([self.program, *words, "--state", self.state])

    def until(self, rows, what, true):
        """Starts it, waits until `true()`, and stops it; how fast it brought `rows` there."""
        begin = time.monotonic()
        self.start()
        await_that(what, lambda: true() or self.fail_if_ended())
        seconds = time.monotonic() - begin
        cpu, memory = self.used()
        self.stop()
        return Run(rows / seconds, seconds, cpu * 1e6 / rows, memory)

    def used(self):
        return used(self.process.pid)

    def fail_if_ended(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"maia ended by itself: {self.log.read_text()[-2000:]}")
