# SPDX-License-Identifier: Apache-2.0
"""MariaDB as source: MAIA's capture beside mysqlbinlog, and what it brings to another MariaDB beside a native replica.

    ./dev bench mysql [--quick] [--rounds N]
"""
import tempfile
import time
from pathlib import Path

from contest.capture import CAPTURE, Capture
from contest.maia import Maia
from contest.mariadb import Mariadb
from contest.process import await_that, run
from contest.record import Goal, Record, Run, in_turn
from contest.report import publish
from contest.words import words
from mysql.orders import FINGERPRINT, MEANING, Work

FULL = {"rows": 1_000_000, "large": 500_000, "small": 100_000}
QUICK = {"rows": 200_000, "large": 100_000, "small": 20_000}
RECEIVE = "mariadb-binlog into memory"
APPLY, REPLICA = "maia to MariaDB", "native replica"
LAST_SQL_ERROR, LAST_IO_ERROR = 19, 35  # columns of SHOW SLAVE STATUS


class Apply:
    def __init__(self, place):
        self.place, self.server = place, Mariadb(place.folder / "copy", 2)
        self.server.query("create database shop")
        self.maia = Maia(place.program, place.folder, "apply", place.source_lines() + place.destination_lines(self.server))
        self.maia.catch_up(place.settings["rows"])

    def run(self, rows):
        return self.maia.until(rows, APPLY, lambda: self.place.work.has_mark(self.server))


class Replica:
    def __init__(self, place):
        self.place, self.server = place, Mariadb(place.folder / "replica", 3)
        self.server.query(f"change master to master_host = '127.0.0.1', master_port = {place.source.port}, master_user = 'root', "
                          "master_use_gtid = slave_pos")
        self.run(1)

    def run(self, rows):
        begin = time.monotonic()
        self.server.query("start slave")
        await_that(REPLICA, lambda: self._has_mark() or self._fail_if_ended())
        seconds = time.monotonic() - begin
        self.server.query("stop slave")
        return Run(rows / seconds, seconds)

    def _has_mark(self):
        there = self.server.value("select 1 from information_schema.tables where table_name = 'marker'")
        return there and self.place.work.has_mark(self.server)

    def _fail_if_ended(self):
        status = self.server.query("show slave status")[0]
        for error in (status[LAST_SQL_ERROR], status[LAST_IO_ERROR]):
            if error:
                raise RuntimeError(f"the native replica has stopped: {error}")


class Receive:
    """The server's own client reads what the work has written."""

    def __init__(self, place):
        self.place = place
        self.logs, self.begin = self._end()

    def _end(self):
        return self.place.source.query("show master status")[0][:2]

    def run(self, rows):
        begin, at = self.logs, self.begin
        logs = [row[0] for row in self.place.source.query("show binary logs") if row[0] >= begin]
        with tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
            start = time.monotonic()
            run(["mariadb-binlog", "--no-defaults", "--read-from-remote-server", "--raw", f"--result-file={memory}/",
                 "--host=127.0.0.1", f"--port={self.place.source.port}", "--user=root", f"--start-position={at}", *logs])
            seconds = time.monotonic() - start
        self.logs, self.begin = self._end()
        return Run(rows / seconds, seconds)


class Place:
    def __init__(self, folder, program, settings):
        self.folder, self.program, self.settings = folder, program, settings
        self.source = Mariadb(folder / "source", 1)
        self.work = Work(self.source, settings)
        self.work.mark()

    def source_lines(self):
        return f"source:\n  type: mysql\n  url: {self.source.uri()}\n  tables: ['shop.*']\n"

    def destination_lines(self, server):
        return f"destination:\n  type: mysql\n  url: {server.uri('shop')}\n"


class Contest:
    def __init__(self, place, record):
        self.place, self.record = place, record
        self.apply, self.replica = Apply(place), Replica(place)
        nowhere = f"destination:\n  type: duckdb\n  path: {place.folder}/none.duckdb\n"
        self.contestants = [(APPLY, self.apply), (REPLICA, self.replica), (RECEIVE, Receive(place)),
                            (CAPTURE, Capture(place.program, place.folder, place.source_lines() + nowhere))]
        for kind in MEANING:
            record.row(f"capture {kind}", goals=[Goal([RECEIVE], 0.5, CAPTURE)])
            record.row(f"apply {kind}", goals=[Goal([REPLICA], 1.0, APPLY)])

    def run(self, rounds):
        for turn in range(rounds):
            for kind in MEANING:
                rows = getattr(self.place.work, kind)()
                self.place.work.mark()
                for name, contestant in in_turn(self.contestants, turn):
                    what = "capture" if name in (CAPTURE, RECEIVE) else "apply"
                    self.record.add(f"{what} {kind}", name, contestant.run(rows))
                self.must_be_equal(kind)

    def must_be_equal(self, kind):
        for table in ("orders", "arrivals"):
            expected = self.place.source.value(FINGERPRINT.format(table=table))
            for name, server in ((APPLY, self.apply.server), (REPLICA, self.replica.server)):
                if server.value(FINGERPRINT.format(table=table)) != expected:
                    raise RuntimeError(f"{name} has other rows in {table} than the source, after {kind}")

    def stop(self):
        for server in (self.place.source, self.apply.server, self.replica.server):
            server.stop()


def main():
    asked = words("mysql", __doc__).parse_args()
    rounds = asked.rounds or (2 if asked.quick else 5)
    settings = {**(QUICK if asked.quick else FULL), "rounds": rounds, "quick": asked.quick}
    record = Record("mysql-quick" if asked.quick else "mysql", settings)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="maia-bench-") as folder:
        Path(folder).chmod(0o755)
        contest = Contest(Place(Path(folder), asked.maia.absolute(), settings), record)
        contest.run(rounds)
        contest.stop()
    print(f"{(time.monotonic() - begin) / 60:.1f} minutes")
    publish(record, asked.results, "\n".join(f"{kind}: {meaning.format(**settings)}." for kind, meaning in MEANING.items()))


if __name__ == "__main__":
    main()
