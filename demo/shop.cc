// SPDX-License-Identifier: Apache-2.0
#include "shop.h"

#include <fmt/format.h>

#include "maia/testing/postgres_session.h"

namespace maia::demo {
namespace {

constexpr const char* kTables = R"sql(
create type tier as enum ('basic', 'silver', 'gold');
create type order_status as enum ('placed', 'paid', 'packed', 'shipped', 'delivered', 'returned');
create table customers (
  id bigint primary key,
  email text not null,
  name text not null,
  tier tier not null default 'basic',
  address jsonb not null,
  phone varchar(20),
  credit numeric(10,2) not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now());
create table products (
  id uuid primary key,
  sku char(8) not null,
  name text not null,
  price numeric(10,2) not null,
  weight_kg real,
  tags text[] not null default '{{}}',
  description text not null,
  in_stock boolean not null default true,
  available_from date,
  updated_at timestamptz not null default now());
create table orders (
  id bigint primary key,
  customer_id bigint not null references customers,
  status order_status not null default 'placed',
  total numeric(12,2) not null,
  note text,
  delivery_window interval,
  placed_at timestamptz not null default now());
create table order_items (
  order_id bigint not null references orders on delete cascade,
  line smallint not null,
  product_id uuid not null references products,
  quantity integer not null,
  unit_price numeric(10,2) not null,
  primary key (order_id, line));
)sql";

constexpr const char* kCustomers = R"sql(
insert into customers (id, email, name, tier, address, phone, credit, created_at)
select i, 'Customer.' || i || '@Example.COM', 'Customer ' || i,
  (array['basic', 'basic', 'silver', 'gold'])[1 + i % 4]::tier,
  jsonb_build_object('street', 'Road ' || i % 977, 'zip', lpad((i % 99999)::text, 5, '0'), 'geo',
    jsonb_build_array(i % 90, i % 180)),
  case when i % 3 = 0 then '+49 30 ' || i end, (i % 10000) / 100.0,
  timestamptz '2020-01-01' + i * interval '11 minutes'
from generate_series(1, {customers}) i)sql";

constexpr const char* kProducts = R"sql(
insert into products (id, sku, name, price, weight_kg, tags, description, available_from)
select md5(i::text)::uuid, 'SKU' || lpad((i % 99999)::text, 5, '0'), 'Product ' || i,
    (i % 50000) / 100.0 + 1,
  case when i % 7 > 0 then i / 7.0 end,
  case i % 3 when 0 then array['new', 'sale'] when 1 then array['classic', 'a "quoted" tag'] else '{{}}' end,
  case when i % 500 = 0 then repeat(md5(i::text), 2000) else 'Made of ' || md5(i::text) end,
  date '2021-01-01' + i % 1500
from generate_series(1, {products}) i)sql";

constexpr const char* kOrders = R"sql(
insert into orders (id, customer_id, status, total, note, delivery_window, placed_at)
select i, 1 + i % {customers}, (enum_range(null::order_status))[1 + i % 6], (i % 100000) / 100.0,
  case when i % 5 = 0 then 'Please ring twice, order ' || i end,
  case when i % 4 = 0 then make_interval(hours => (i % 48)::int) end,
  timestamptz '2022-01-01' + i * interval '5 minutes'
from generate_series(1, {orders}) i)sql";

constexpr const char* kItems = R"sql(
insert into order_items (order_id, line, product_id, quantity, unit_price)
select 1 + i / 2, 1 + i % 2, md5((1 + i % {products})::text)::uuid, 1 + i % 5, (i % 5000) / 100.0
from generate_series(0, {items} - 1) i)sql";

/// The pipeline lower-cases the e-mail; this is what must arrive.
constexpr const char* kExpected = R"sql(
create view customers_expected as
  select id, lower(email) as email, name, tier, address, phone, credit, created_at, updated_at from customers;
analyze;
)sql";

}  // namespace

Status make_shop(const std::string& uri, const ShopSize& size, const std::function<bool()>& give_up) {
  auto session = MAIA_TRY(testing::PostgresSession::open(uri));
  for (const std::string_view sql : {kTables, kCustomers, kProducts, kOrders, kItems, kExpected}) {
    if (give_up()) return Error{Error::Code::cancelled, Recovery::halt, "the shop never opened", ""};
    MAIA_TRY(session.execute(fmt::format(fmt::runtime(sql), fmt::arg("customers", size.customers()),
                                         fmt::arg("products", size.products()),
                                         fmt::arg("orders", size.orders), fmt::arg("items", size.items()))));
  }
  return {};
}

std::string pipeline_file(const std::string& uri, const std::string& duckdb_path) {
  return fmt::format(R"yaml(name: shop
source:
  type: postgres
  url: {}
  publication: maia_publication
  tables: [customers, products, orders, order_items]
transform:
  - name: normalize_customer
    script: |
      # map fields and coerce types
      out = in
      out.email = lower(in.email)
destination:
  type: duckdb
  path: {}
  mode: upsert
)yaml",
                     uri, duckdb_path);
}

}  // namespace maia::demo
