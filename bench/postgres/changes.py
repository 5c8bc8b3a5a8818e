# SPDX-License-Identifier: Apache-2.0
"""Changes that have piled up: how fast each contestant gets through the same log. All have a slot of their own and wait
while the work is done at the source; then they run one after the other."""
import os
import time

from contest.capture import CAPTURE, Capture
from contest.cluster import BINARIES
from contest.duckdb import DuckDb
from contest.maia import Maia
from contest.process import await_that, run
from contest.record import Goal, Run, in_turn
from postgres.orders import TABLES, create, duckdb_fingerprint, fingerprint, must_equal

KINDS = ("k1", "k2", "k3", "k4")
RECEIVE = "pg_recvlogical to nowhere"
TO_POSTGRES, TO_DUCKDB = "maia to PostgreSQL", "maia to DuckDB"
NATIVE = {"native, text": "", "native, binary": ", binary = true", "native, binary, streaming": ", binary = true, streaming = on"}
FASTER = {"k1": 1.6, "k2": 1.5, "k3": 1.9, "k4": 1.3}


class Subscription:
    def __init__(self, place, name, options):
        self.place, self.name = place, name
        database = name.replace(", ", "_")
        self.session = place.destination.make_database(database)
        for table in TABLES:
            self.session.query(create(table))
        self.session.query("create table marker (id bigint primary key)")
        self.session.query(f"create subscription {database} connection '{place.source.conninfo('shop')}' "
                           f"publication bench with (copy_data = true{options})")
        await_that("the initial sync", lambda: self.session.value(
            "select bool_and(srsubstate = 'r') and count(*) = 3 from pg_subscription_rel") == "t", pause=0.05)
        self.subscription = database
        self.pause()

    def pause(self):
        self.session.query(f"alter subscription {self.subscription} disable")
        await_that("the worker to end", lambda: self.place.shop.value(
            f"select active from pg_replication_slots where slot_name = '{self.subscription}'") == "f")

    def run(self, rows):
        begin = time.monotonic()
        self.session.query(f"alter subscription {self.subscription} enable")
        await_that(self.name, lambda: self.place.has_mark(self.session))
        seconds = time.monotonic() - begin
        self.pause()
        return Run(rows / seconds, seconds)

    def fingerprint(self, table):
        return self.session.value(fingerprint(table))

    def tidy_up(self):
        self.session.query("vacuum (analyze)")


class ToPostgres:
    def __init__(self, place, name="changes", more="", tables=None):
        self.place = place
        self.session = place.destination.make_database(name)
        lines = place.source_lines(tables) if tables else place.source_lines()
        self.maia = Maia(place.program, place.folder, name, lines + place.destination_lines(name) + more)
        self.maia.catch_up(place.work.rows)

    def run(self, rows):
        return self.maia.until(rows, "maia to PostgreSQL", lambda: self.place.has_mark(self.session))

    def fingerprint(self, table):
        return self.session.value(fingerprint(table))

    def tidy_up(self):
        self.session.query("vacuum (analyze)")


class ToDuckDb:
    def __init__(self, place):
        self.file = place.folder / "changes.duckdb"
        self.maia = Maia(place.program, place.folder, "todb",
                         place.source_lines() + f"destination:\n  type: duckdb\n  path: {self.file}\n")
        self.maia.catch_up(place.work.rows)

    def run(self, rows):
        return self.maia.catch_up(rows)

    def fingerprint(self, table):
        with DuckDb(self.file) as there:
            return there.value(duckdb_fingerprint(table))

    def tidy_up(self):
        pass


class Receive:
    """The server's own client, with what MAIA asks the server for."""

    def __init__(self, place):
        self.place = place
        place.shop.query("select pg_create_logical_replication_slot('receive', 'pgoutput')")

    def run(self, rows):
        end = self.place.shop.value("select pg_current_wal_flush_lsn()")
        options = [word for each in ("proto_version=3", "publication_names=bench", "binary=true", "streaming=on", "messages=true")
                   for word in ("-o", each)]
        begin = time.monotonic()
        run([BINARIES / "pg_recvlogical", "-d", self.place.source.conninfo("shop"), "-S", "receive", "--start", "--no-loop",
             "--endpos", end, "-f", "/dev/null", *options],
            env={**os.environ, "PGOPTIONS": "-c logical_decoding_work_mem=256MB"})
        seconds = time.monotonic() - begin
        self.place.shop.query(f"select pg_replication_slot_advance('receive', '{end}')")
        return Run(rows / seconds, seconds)

    def tidy_up(self):
        pass


class Changes:
    def __init__(self, place, record):
        self.place, self.record = place, record
        self.kinds = place.settings["kinds"]
        for kind in self.kinds:
            record.row(f"capture {kind}", goals=[Goal([RECEIVE], 0.95, CAPTURE)])
            record.row(f"apply {kind}", goals=[Goal(list(NATIVE), FASTER[kind], TO_POSTGRES),
                                               Goal([CAPTURE], 0.5, TO_DUCKDB)])
        place.work.prepare(place.shop)
        place.mark()
        place.destination.make_database("capture")
        capture = Capture(place.program, place.folder, place.source_lines() + place.destination_lines("capture"))
        self.contestants = [(TO_POSTGRES, ToPostgres(place)), (TO_DUCKDB, ToDuckDb(place)), (CAPTURE, capture),
                            (RECEIVE, Receive(place))]
        self.contestants += [(name, Subscription(place, name, options)) for name, options in NATIVE.items()]

    def run(self, rounds):
        for turn in range(rounds):
            for kind in self.kinds:
                rows = getattr(self.place.work, kind)(self.place.shop)
                self.place.mark()
                expected = {table: self.place.fingerprint(table) for table in TABLES}
                for name, contestant in in_turn(self.contestants, turn):
                    self.place.settle()
                    self.note(kind, name, contestant.run(rows))
                    if hasattr(contestant, "fingerprint"):
                        for table in TABLES:
                            must_equal(name, table, contestant.fingerprint(table), expected[table])
            self.place.shop.query("vacuum (analyze)")
            for _, contestant in self.contestants:
                contestant.tidy_up()

    def note(self, kind, name, run_of_it):
        if name in (CAPTURE, RECEIVE):
            self.record.add(f"capture {kind}", name, run_of_it)
        if name != RECEIVE:
            self.record.add(f"apply {kind}", name, run_of_it)
