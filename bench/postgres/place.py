# SPDX-License-Identifier: Apache-2.0
"""Where the contest takes place: two clusters, a source of orders, and what all contestants are given."""
from contest.cluster import Cluster
from postgres.orders import COLUMNS, Work, fingerprint, make_source


class Place:
    def __init__(self, folder, program, settings):
        self.folder, self.program, self.settings = folder, program, settings
        self.source = Cluster(folder / "source")
        self.destination = Cluster(folder / "destination")
        self.work = Work(settings["rows"], settings["large"], settings["small"])
        self.shop = self.source.make_database("shop")
        self.shop.query("set synchronous_commit = off")  # of who makes the work; nobody is timed then
        make_source(self.shop, settings["rows"])
        self.marks = 0

    def source_lines(self, tables="[orders, arrivals, marker]"):
        return (f"source:\n  type: postgres\n  url: {self.source.uri('shop')}\n  publication: bench\n"
                f"  tables: {tables}\n")

    def destination_lines(self, database):
        return f"destination:\n  type: postgres\n  url: {self.destination.uri(database)}\n"

    def mark(self):
        """The last change of a piece of work: who has it, has all before it."""
        self.marks += 1
        self.shop.query(f"begin; set local synchronous_commit = on; insert into marker values ({self.marks}); commit")
        return self.marks

    def has_mark(self, session):
        return session.value(f"select 1 from marker where id = {self.marks}") is not None

    def fingerprint(self, table, columns=COLUMNS, where="true"):
        return self.shop.value(fingerprint(table, columns, where))

    def settle(self):
        """Nobody writes what another one has left."""
        for cluster in (self.source, self.destination):
            cluster.session("postgres").query("checkpoint")

    def stop(self):
        self.source.stop()
        self.destination.stop()
