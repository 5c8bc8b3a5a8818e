# SPDX-License-Identifier: Apache-2.0
"""Orders of a shop in MariaDB, and what happens to them: the kinds of work of the PostgreSQL benchmark."""

COLUMNS = "id, customer_id, status, amount, note, created_at, updated_at"
MEANING = {
    "k1": "one transaction of {large} inserts",
    "k2": "{small} transactions of one update",
    "k3": "one update of {large} rows",
    "k4": "transactions of ten changes, {small} in all: six updates, two inserts, two deletes",
}
FINGERPRINT = ("select concat(count(*), ' ', coalesce(sum(crc32(concat_ws('|', id, customer_id, status, amount, note, "
               "cast(created_at as datetime(6)), cast(updated_at as datetime(6))))), 0)) from shop.{table}")

_TABLE = """create table shop.{name} (id bigint primary key, customer_id bigint, status varchar(20), amount decimal(12,2), note text,
  created_at datetime(6), updated_at datetime(6)) default charset utf8mb4"""
_ROWS = """insert into shop.{table} select seq, seq * 7919 mod 100003, elt(1 + seq mod 4, 'New', 'Paid', 'Shipped', 'Returned'),
  (seq mod 1000000) / 100, concat(md5(seq), md5(seq + 1), md5(seq + 2)), now(6) - interval seq second, now(6)
  from seq_{first}_to_{last}"""
_ONE_UPDATE = """create procedure shop.k2(in n int) begin
  declare i int default 1;
  while i <= n do
    update shop.orders set status = 'k2', amount = amount + 1, updated_at = now(6) where id = 1 + i * 7919 mod {rows};
    set i = i + 1;
  end while;
end"""
_TEN_MIXED = """create procedure shop.k4(in n int) begin
  declare i, j int default 1;
  declare fresh bigint default {rows} + 1;
  insert into shop.orders (id) values (fresh), (fresh + 1);
  while i <= n div 10 do
    start transaction;
    set j = 1;
    while j <= 6 do
      update shop.orders set status = 'k4', amount = amount + 1, updated_at = now(6) where id = 1 + (i * 6 + j) * 7919 mod {rows};
      set j = j + 1;
    end while;
    insert into shop.orders (id, status, note) values (fresh + 2, 'k4', md5(i)), (fresh + 3, 'k4', md5(i));
    delete from shop.orders where id in (fresh, fresh + 1);
    set fresh = fresh + 2;
    commit;
    set i = i + 1;
  end while;
  delete from shop.orders where id > {rows};
end"""


class Work:
    """Each kind gives the number of its changes."""

    def __init__(self, source, settings):
        self.source, self.settings = source, settings
        self.arrived = 0
        source.query("create database shop")
        source.query("use shop")  # of which the sequences are
        for table in ("orders", "arrivals"):
            source.query(_TABLE.format(name=table))
        source.query("create table shop.marker (id bigint primary key)")
        source.query(_ROWS.format(table="orders", first=1, last=settings["rows"]))
        source.query(_ONE_UPDATE.format(**settings))
        source.query(_TEN_MIXED.format(**settings))
        self.marks = 0

    def k1(self):
        first, self.arrived = self.arrived + 1, self.arrived + self.settings["large"]
        self.source.query(_ROWS.format(table="arrivals", first=first, last=self.arrived))
        return self.settings["large"]

    def k2(self):
        self._quickly("call shop.k2({small})")
        return self.settings["small"]

    def k3(self):
        self.source.query("update shop.orders set status = 'k3', amount = amount + 1, updated_at = now(6) where id <= "
                          f"{self.settings['large']}")
        return self.settings["large"]

    def k4(self):
        self._quickly("call shop.k4({small})")
        return self.settings["small"]

    def _quickly(self, call):
        """The work is not what is timed, so that its own commits need not be durable one by one."""
        for name, value in (("innodb_flush_log_at_trx_commit", 2), ("sync_binlog", 0)):
            self.source.query(f"set global {name} = {value}")
        self.source.query(call.format(**self.settings))
        for name in ("innodb_flush_log_at_trx_commit", "sync_binlog"):
            self.source.query(f"set global {name} = 1")

    def mark(self):
        """The last change of a piece of work: who has it, has all before it."""
        self.marks += 1
        self.source.query(f"insert into shop.marker values ({self.marks})")

    def has_mark(self, server):
        return server.value(f"select 1 from shop.marker where id = {self.marks}") is not None
