# SPDX-License-Identifier: Apache-2.0
"""MAIA with its destination paused: what is read goes into the journal and no farther."""
import time
import urllib.request

from contest.maia import Maia
from contest.process import await_that, free_port
from contest.record import Run

CAPTURE = "maia, capture alone"


class Capture:
    """`lines` are the source and a destination that nobody looks at."""

    def __init__(self, program, folder, lines):
        self.maia = Maia(program, folder, "capture", lines + "snapshot:\n  mode: never\njournal:\n  confirm: journaled\n")
        self.maia.catch_up(1)
        self.port = free_port()
        self.maia.start()
        await_that("maia to take orders", lambda: self._pause() or self.maia.fail_if_ended(), pause=0.1)
        self.maia.stop()

    def _pause(self):
        try:
            return self.maia.command("pause")
        except RuntimeError:
            return None

    def run(self, rows):
        begin = time.monotonic()
        self.maia.start("--listen", f"127.0.0.1:{self.port}")
        await_that("maia to read all", lambda: self.read() > rows or self.maia.fail_if_ended())
        seconds = time.monotonic() - begin
        cpu, memory = self.maia.used()
        self.maia.stop()
        return Run(rows / seconds, seconds, cpu * 1e6 / rows, memory)

    def read(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return 0
        return sum(float(line.split()[-1]) for line in lines if line.startswith("maia_records_read_total"))

    def tidy_up(self):
        pass
