# SPDX-License-Identifier: Apache-2.0
"""The first copy of a table, into PostgreSQL and into DuckDB."""
import subprocess
import time

from contest.duckdb import DuckDb
from contest.maia import Maia
from contest.process import await_that, run
from contest.record import Goal, Run, in_turn
from postgres.orders import create, duckdb_fingerprint, fingerprint, must_equal

POSTGRES, DUCKDB = "snapshot to PostgreSQL", "snapshot to DuckDB"
NATIVE, NATIVE_BINARY = "native initial sync, text", "native initial sync, binary"
PIPE, NOWHERE = "COPY pipe, key built after", "binary COPY to nowhere"
CLONE, CSV = "pgcopydb clone", "CSV out of PostgreSQL into DuckDB"


def timed(rows, work):
    begin = time.monotonic()
    work()
    seconds = time.monotonic() - begin
    return Run(rows / seconds, seconds)


class Snapshot:
    def __init__(self, place, record):
        self.place, self.record, self.made = place, record, 0
        self.rows = place.work.rows
        record.row(POSTGRES, goals=[Goal([NATIVE, NATIVE_BINARY], 1.3), Goal([PIPE], 0.9)])
        record.row(DUCKDB, goals=[Goal([NOWHERE], 0.4)])

    def run(self, rounds):
        expected = self.place.fingerprint("orders")
        to_postgres = [("maia", self.maia), (NATIVE, self.native), (NATIVE_BINARY, self.native_binary), (PIPE, self.pipe),
                       (CLONE, self.clone)]
        to_duckdb = [("maia", self.maia_to_duckdb), (NOWHERE, self.nowhere), (CSV, self.csv)]
        for turn in range(rounds):
            for name, contestant in in_turn(to_postgres, turn):
                session = self.place.destination.make_database("copy")
                self.place.settle()
                self.record.add(POSTGRES, name, contestant(session))
                must_equal(name, "orders", session.value(fingerprint("orders")), expected)
            for name, contestant in in_turn(to_duckdb, turn):
                self.file().unlink(missing_ok=True)
                self.record.add(DUCKDB, name, contestant())
                if self.file().exists():
                    with DuckDb(self.file()) as there:
                        must_equal(name, "orders", there.value(duckdb_fingerprint("orders")), expected)

    def maia(self, _):
        return self._maia(self.place.destination_lines("copy"))

    def maia_to_duckdb(self):
        return self._maia(f"destination:\n  type: duckdb\n  path: {self.file()}\n")

    def _maia(self, destination):
        self.made += 1
        maia = Maia(self.place.program, self.place.folder, f"snapshot{self.made}",
                    self.place.source_lines("[orders]") + destination)
        done = maia.catch_up(self.rows)
        maia.command("drop", maia.file)
        return done

    def native(self, session, options="copy_data = true"):
        session.query(create("orders"))
        session.query(create("arrivals") + "; create table marker (id bigint primary key)")

        def work():
            session.query(f"create subscription copy connection '{self.place.source.conninfo('shop')}' publication bench "
                          f"with ({options})")
            await_that("the initial sync", lambda: session.value(
                "select bool_and(srsubstate in ('s', 'r')) and count(*) = 3 from pg_subscription_rel") == "t")

        done = timed(self.rows, work)
        session.query("drop subscription copy")
        return done

    def native_binary(self, session):
        """Before PostgreSQL 16 the first copy is in text all the same."""
        return self.native(session, "binary = true")

    def pipe(self, session):
        session.query(create("orders", key=False))

        def work():
            pipe(self.place.source.conninfo("shop"), "copy orders to stdout (format binary)",
                 self.place.destination.conninfo("copy"), "copy orders from stdin (format binary)")
            session.query("set maintenance_work_mem = '256MB'; alter table orders add primary key (id)")

        return timed(self.rows, work)

    def clone(self, _):
        return timed(self.rows, lambda: run(
            ["pgcopydb", "clone", "--source", self.place.source.uri("shop"), "--target", self.place.destination.uri("copy"),
             "--table-jobs", "2", "--index-jobs", "2", "--dir", self.place.folder / "pgcopydb", "--restart",
             "--not-consistent"]))

    def nowhere(self):
        return timed(self.rows, lambda: run(
            ["psql", "-qX", self.place.source.conninfo("shop"), "-c", r"\copy orders to /dev/null (format binary)"]))

    def csv(self):
        lines = self.place.folder / "orders.csv"

        def work():
            run(["psql", "-qX", self.place.source.conninfo("shop"), "-c", rf"\copy orders to {lines} (format csv)"])
            with DuckDb(self.file()) as there:
                there.value("create schema if not exists public")
                there.value("create table public." + create("orders").removeprefix("create table "))
                there.value(f"copy public.orders from '{lines}' (format csv)")

        return timed(self.rows, work)

    def file(self):
        return self.place.folder / "snapshot.duckdb"


def pipe(source, out, destination, into):
    reader = subprocess.Popen(["psql", "-qX", source, "-c", out], stdout=subprocess.PIPE)
    writer = subprocess.run(["psql", "-qX", destination, "-c", into], stdin=reader.stdout, check=False)
    reader.stdout.close()
    if reader.wait() or writer.returncode:
        raise RuntimeError("the COPY pipe broke")
