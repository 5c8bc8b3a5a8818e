# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL as source: MAIA beside what one would use instead, and beside what the server can give.

    ./dev bench postgres [--quick] [--only snapshot,changes,transforms,latency] [--kinds k1,k2,k3,k4] [--rounds N]
"""
import tempfile
import time
from pathlib import Path

from contest.record import Record
from contest.report import publish
from contest.words import words
from postgres.changes import KINDS, Changes
from postgres.latency import Latency
from postgres.orders import MEANING
from postgres.place import Place
from postgres.snapshot import Snapshot
from postgres.transforms import Transforms

PARTS = {"snapshot": Snapshot, "changes": Changes, "transforms": Transforms, "latency": Latency}
FULL = {"rows": 2_000_000, "large": 1_000_000, "small": 200_000, "latency_seconds": 5}
QUICK = {"rows": 400_000, "large": 200_000, "small": 40_000, "latency_seconds": 2}


def main():
    parser = words("postgres", __doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    parser.add_argument("--kinds", default=",".join(KINDS), help="kinds of changes, separated by commas")
    asked = parser.parse_args()
    rounds = asked.rounds or (2 if asked.quick else 5)
    settings = {**(QUICK if asked.quick else FULL), "rounds": rounds, "quick": asked.quick,
                "kinds": asked.kinds.split(",")}
    record = Record("postgres-quick" if asked.quick else "postgres", settings)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="maia-bench-") as folder:
        Path(folder).chmod(0o755)
        for part in asked.only.split(","):
            print(f"{part}, {rounds} rounds", flush=True)
            ground = Path(folder) / part
            ground.mkdir()
            place = Place(ground, asked.maia.absolute(), settings)
            try:
                PARTS[part](place, record).run(rounds)
            finally:
                place.stop()
    print(f"{(time.monotonic() - begin) / 60:.1f} minutes")
    title = ("Quick: a fifth of the rows and few rounds, so trust nothing below a tenth.\n" if asked.quick else "") + \
        "\n".join(f"{kind}: {meaning.format(**settings)}." for kind, meaning in MEANING.items())
    publish(record, asked.results, title)


if __name__ == "__main__":
    main()
