# SPDX-License-Identifier: Apache-2.0
"""Orders of a shop: the table, what happens to it (k1 to k4), and a fingerprint of its rows that both systems compute."""

COLUMNS = ("id", "customer_id", "status", "amount", "note", "created_at", "updated_at")
TABLES = ("orders", "arrivals")

_TABLE = """create table {name} (id bigint{key}, customer_id bigint, status text, amount numeric(12,2), note text,
  created_at timestamptz, updated_at timestamptz)"""
_ROWS = """insert into {table}
  select g, g * 7919::bigint % 100003, (array['New','Paid','Shipped','Returned'])[1 + g % 4], (g % 1000000) / 100.0,
         md5(g::text) || md5((g + 1)::text) || md5((g + 2)::text), now() - g * interval '1 second', now()
  from generate_series({first}, {last}) g"""


def create(name, key=True):
    return _TABLE.format(name=name, key=" primary key" if key else "")


def fill(table, first, last):
    return _ROWS.format(table=table, first=first, last=last)


def make_source(session, rows):
    for table in TABLES:
        session.query(create(table))
    session.query("create table marker (id bigint primary key)")
    session.query(fill("orders", 1, rows))
    session.query("vacuum (analyze, freeze) orders")
    session.query("create publication bench for table orders, arrivals, marker")


def _one_update(rows, count):
    return f"""do $$ begin
  for i in 1..{count} loop
    update orders set status = 'k2', amount = amount + 1, updated_at = clock_timestamp() where id = 1 + i * 7919::bigint % {rows};
    commit;
  end loop;
end $$"""


def _ten_mixed(rows, count):
    """Six updates, two inserts, and two deletes of what the transaction before has inserted."""
    return f"""do $$ declare fresh bigint := {rows} + 1; begin
  for i in 1..{count // 10} loop
    for n in 1..6 loop
      update orders set status = 'k4', amount = amount + 1, updated_at = clock_timestamp()
        where id = 1 + (i * 6 + n) * 7919::bigint % {rows};
    end loop;
    {fill("orders", "fresh + 2", "fresh + 3")};
    delete from orders where id in (fresh, fresh + 1);
    fresh := fresh + 2;
    commit;
  end loop;
  delete from orders where id > {rows};
  {fill("orders", f"{rows} + 1", f"{rows} + 2")};
end $$"""


class Work:
    """The four workloads over a base of `rows`; each gives the number of its changes."""

    def __init__(self, rows, large, small):
        self.rows, self.large, self.small = rows, large, small

    def prepare(self, source):
        """k4 finds the rows that its first transaction deletes."""
        source.query(fill("orders", self.rows + 1, self.rows + 2))

    def k1(self, source):
        source.query("truncate arrivals")
        source.query(fill("arrivals", 1, self.large))
        return self.large

    def k2(self, source):
        source.query(_one_update(self.rows, self.small))
        return self.small

    def k3(self, source):
        source.query(f"update orders set status = 'k3', amount = amount + 1, updated_at = now() where id <= {self.large}")
        return self.large

    def k4(self, source):
        source.query(_ten_mixed(self.rows, self.small))
        return self.small


MEANING = {
    "k1": "one transaction of {large:,} inserts",
    "k2": "{small:,} transactions of one update",
    "k3": "one update of {large:,} rows",
    "k4": "transactions of ten mixed changes, {small:,} changes",
}


def fingerprint(table, columns=COLUMNS, where="true"):
    """Number of rows and sum of a hash of each, in PostgreSQL; columns may be expressions."""
    row = ", ".join(f"(extract(epoch from {each}) * 1000000)::bigint" if each.endswith("_at") else each
                    for each in columns)
    return (f"select count(*) || ' ' || coalesce(sum(('x' || substr(md5(concat_ws('|', {row})), 1, 15))::bit(60)::bigint), 0)"
            f" from {table} where {where}")


def duckdb_fingerprint(table):
    """The same in DuckDB."""
    row = ", ".join(f"epoch_us({each})" if each.endswith("_at") else each for each in COLUMNS)
    return (f"select count(*) || ' ' || coalesce(sum(('0x' || substr(md5(concat_ws('|', {row})), 1, 15))::bigint), 0)"
            f" from public.{table}")


def must_equal(who, what, found, expected):
    if found != expected:
        raise AssertionError(f"{who}: rows of {what} differ from the source's: {found}, not {expected}")
