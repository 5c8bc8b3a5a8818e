# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL into Kafka by MAIA, in transactions with the checkpoint, beside librdkafka alone, with records of the same number and
size, which it has in memory, in large transactions.

    ./dev bench kafka [--quick] [--rounds N]
"""
import tempfile
from pathlib import Path

from contest.cluster import Cluster
from contest.kafka import Kafka
from contest.maia import Maia
from contest.process import run
from contest.record import Goal, Record, Run
from contest.report import publish
from contest.words import words
from postgres.orders import TABLES, Work, make_source

FULL = {"rows": 1_000_000, "large": 500_000, "small": 100_000}
QUICK = {"rows": 200_000, "large": 100_000, "small": 20_000}
KINDS = {
    "copy": "{rows} rows of a snapshot",
    "k1": "one transaction of {large} inserts",
    "k4": "transactions of ten changes, {small} in all",
}
OURS, RAW = "maia", "librdkafka alone"
WITHOUT = "compression: none"  # the other's records are one letter each, which would shrink to nothing
IN_ONE = 50_000  # records of a transaction


class Contest:
    def __init__(self, folder, program, settings):
        self.folder, self.program, self.settings = folder, program, settings
        self.kafka = Kafka(folder / "kafka")
        self.cluster = Cluster(folder / "source")
        self.shop = self.cluster.make_database("shop")
        self.shop.query("set synchronous_commit = off")
        make_source(self.shop, settings["rows"])
        self.work = Work(settings["rows"], settings["large"], settings["small"])
        self.work.prepare(self.shop)
        self.copies = 0

    def maia(self, name):
        """One pipeline, all of whose tables go to one topic of its name."""
        return Maia(self.program, self.folder, name,
                    f"source:\n  type: postgres\n  url: {self.cluster.uri('shop')}\n  publication: bench\n  tables: [{', '.join(TABLES)}]\n"
                    f"destination:\n  type: kafka\n  brokers: ['{self.kafka.address}']\n  topic: {name}\n  {WITHOUT}\n")

    def copy(self):
        """Into a topic of its own, by a pipeline of its own; bytes of a record."""
        self.copies += 1
        name = f"copy{self.copies}"
        pipeline = self.maia(name)
        result = pipeline.catch_up(self.settings["rows"])
        pipeline.command("drop", pipeline.file)
        return result, self.kafka.bytes_of(name) // self.settings["rows"]

    def change(self, pipeline, kind):
        rows = getattr(self.work, kind)(self.shop)
        before = self.kafka.bytes_of(pipeline.name)
        result = pipeline.catch_up(rows)
        return result, (self.kafka.bytes_of(pipeline.name) - before) // rows, rows

    def raw(self, rows, size):
        self.copies += 1
        said = run([self.program.parent / "bench" / "kafka_raw_bench", self.kafka.address, f"raw{self.copies}", rows, size, IN_ONE])
        return Run(rows * 1000 / int(said), int(said) / 1000)

    def run(self, record, rounds):
        for kind in KINDS:
            record.row(kind, goals=[Goal([RAW], 0.4)])
        stream = self.maia("changes")
        stream.catch_up(self.settings["rows"])
        for turn in range(rounds):
            for kind in KINDS:
                # The size of its records is known after the first turn of MAIA, which therefore begins in each round.
                rows = self.settings["rows"]
                ours, size, *count = self.copy() if kind == "copy" else self.change(stream, kind)
                rows = count[0] if count else rows
                record.add(kind, OURS, ours)
                record.add(kind, RAW, self.raw(rows, size))
        self.kafka.stop()
        self.cluster.stop()


def main():
    asked = words("kafka", __doc__).parse_args()
    rounds = asked.rounds or (2 if asked.quick else 5)
    settings = {**(QUICK if asked.quick else FULL), "rounds": rounds, "quick": asked.quick}
    record = Record("kafka-quick" if asked.quick else "kafka", settings)
    with tempfile.TemporaryDirectory(prefix="maia-bench-") as folder:
        Path(folder).chmod(0o755)
        Contest(Path(folder), asked.maia.absolute(), settings).run(record, rounds)
    publish(record, asked.results, "\n".join(f"{kind}: {meaning.format(**settings)}." for kind, meaning in KINDS.items()))


if __name__ == "__main__":
    main()
