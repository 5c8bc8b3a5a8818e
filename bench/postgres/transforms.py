# SPDX-License-Identifier: Apache-2.0
"""What transforms cost: k1 into PostgreSQL with and without."""
from contest.record import Goal, in_turn
from postgres.changes import ToPostgres
from postgres.orders import COLUMNS, fingerprint, must_equal

ROW = "k1 with transforms"
NONE = "maia, none"


class Script:
    """A script, the columns that it leaves, and the same in the source's SQL."""

    def __init__(self, lines, columns, at_source, where="true"):
        self.lines, self.columns, self.at_source, self.where = lines, columns, at_source, where

    def yaml(self):
        if not self.lines:
            return ""
        body = "".join(f"      {line}\n" for line in self.lines)
        return f"transform:\n  - name: it\n    tables: [arrivals]\n    script: |\n{body}"


RENAMED = ("id", "status", "amount", "note", "created_at", "updated_at", "customer")
LOWERED = ("id", "lower(status)", "amount", "note", "created_at", "updated_at", "customer_id")
SCRIPTS = {
    NONE: Script([], COLUMNS, COLUMNS),
    "maia, rename and lower": Script(["out = in", "drop out.customer_id", "out.customer = in.customer_id",
                                      "out.status = lower(in.status)"], RENAMED, LOWERED),
    "maia, the demo's": Script(["out = in", "out.note = lower(in.note)"], COLUMNS, COLUMNS),
    "maia, heavy": Script(
        ["out.id = in.id", "out.customer = hash(in.customer_id::varchar)",
         "out.word = regexp_extract(in.note, '([a-f]+)[0-9]', 1)",
         "out.part = json('{\"a\": {\"b\": ' || in.customer_id || '}}', '$.a.b')::varchar", "filter in.amount > 10"],
        ("id", "customer", "word", "part"),
        ("id", "encode(sha256(customer_id::text::bytea), 'hex')", "coalesce(substring(note from '([a-f]+)[0-9]'), '')",
         "customer_id::text"), "amount > 10"),
}


class Transforms:
    def __init__(self, place, record):
        self.place, self.record = place, record
        record.row(ROW, goals=[Goal([NONE], 0.9, name) for name in SCRIPTS if name != NONE])
        self.contestants = [
            (name, ToPostgres(place, f"transform{number}", script.yaml(), "[arrivals, marker]"))
            for number, (name, script) in enumerate(SCRIPTS.items())]

    def run(self, rounds):
        for turn in range(rounds):
            rows = self.place.work.k1(self.place.shop)
            self.place.mark()
            for name, contestant in in_turn(self.contestants, turn):
                self.place.settle()
                self.record.add(ROW, name, contestant.run(rows))
                script = SCRIPTS[name]
                must_equal(name, "arrivals", contestant.session.value(fingerprint("arrivals", script.columns)),
                           self.place.fingerprint("arrivals", script.at_source, script.where))
