# SPDX-License-Identifier: Apache-2.0
"""From the answer to COMMIT at the source until the row is seen at the destination: alone, and at 1,000 transactions/s."""
import multiprocessing
import time
from statistics import quantiles

from contest.libpq import Session
from contest.process import await_that
from contest.record import Goal, Run, in_turn
from postgres.changes import Subscription, ToPostgres

NATIVE = "native, binary"
PARTS = {"p50": 1.3, "p99": 1.5, "worst": None}
PACES = {"idle": 0.02, "1,000/s": 0.001}  # seconds from one commit to the next


def write(conninfo, first, count, pace, commits):
    """Commits `count` rows, one each `pace`; sends when each was answered."""
    session = Session(conninfo)
    times, begin = [], time.monotonic()
    for number in range(count):
        while (early := begin + number * pace - time.monotonic()) > 0:
            time.sleep(early)
        session.query(f"insert into marker values ({first + number})")
        times.append(time.monotonic())
    commits.send(times)


def delays(place, session, pace, seconds):
    """Milliseconds, one for each commit."""
    count = int(seconds / pace)
    first, last = place.marks + 1, place.marks + count
    place.marks = last
    commits, theirs = multiprocessing.Pipe()
    writer = multiprocessing.Process(target=write, args=(place.source.conninfo("shop"), first, count, pace, theirs))
    writer.start()
    seen, newest = [], first - 1
    while newest < last:
        found = int(session.value(f"select coalesce(max(id), 0) from marker where id > {newest}"))
        now = time.monotonic()
        seen += [now] * max(0, found - newest)
        newest = max(newest, found)
    times = commits.recv()
    writer.join()
    # A watcher may see a row before the writer has its answer; that counts as no delay.
    return sorted(max(0.0, there - here) * 1e3 for here, there in zip(times, seen))


class Latency:
    def __init__(self, place, record):
        self.place, self.record = place, record
        for pace in PACES:
            for part, at_most in PARTS.items():
                goals = [Goal([NATIVE], at_most)] if at_most else []
                record.row(f"latency {pace}, {part}", unit="ms", more_is_better=False, goals=goals)
        self.maia = ToPostgres(place, "latency", tables="[marker]")
        self.native = Subscription(place, "native, latency", ", binary = true")

    def run(self, rounds):
        for turn in range(rounds):
            for name, there in in_turn([("maia", self.maia), (NATIVE, self.native)], turn):
                session = Session(self.place.destination.conninfo(there.session.value("select current_database()")))
                self.enter(name)
                self.place.mark()
                await_that(name, lambda session=session: self.place.has_mark(session))
                for pace, gap in PACES.items():
                    self.note(name, pace, delays(self.place, session, gap, self.place.settings["latency_seconds"]))
                self.leave(name)
                session.close()

    def enter(self, name):
        if name == NATIVE:
            self.native.session.query(f"alter subscription {self.native.subscription} enable")
        else:
            self.maia.maia.start()

    def leave(self, name):
        if name == NATIVE:
            self.native.pause()
        else:
            self.maia.maia.stop()

    def note(self, name, pace, milliseconds):
        cuts = quantiles(milliseconds, n=100, method="inclusive")
        for part, value in (("p50", cuts[49]), ("p99", cuts[98]), ("worst", milliseconds[-1])):
            self.record.add(f"latency {pace}, {part}", name, Run(value))
