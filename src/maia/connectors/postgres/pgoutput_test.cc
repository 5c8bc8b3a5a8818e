// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/pgoutput.h"

#include <gmock/gmock.h>

#include "maia/connectors/postgres/wire.h"
#include "maia/connectors/postgres/wire_writer.h"

namespace maia::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kTime = 758'000'000'123'456;  // microseconds since 2000
constexpr WallMicros kTimeSince1970 = kTime + kEpochMicros;

WireWriter message(char kind) { return WireWriter().character(kind); }

/// A row of a null, an unchanged, a text and a binary value.
WireWriter& add_tuple(WireWriter& writer) {
  return writer.number(std::uint16_t{4})
      .raw("nut")
      .number(5)
      .raw("hello")
      .character('b')
      .number(2)
      .raw("\x01\x02");
}

template <class T>
T parsed(PgoutputParser& parser, const WireWriter& writer) {
  auto message = parser.parse(writer.bytes());
  EXPECT_TRUE(message.ok()) << message.error().message;
  return std::get<T>(std::move(message).value());
}
template <class T>
T parsed(const WireWriter& writer) {
  PgoutputParser parser;
  return parsed<T>(parser, writer);
}

Error error_of(const WireWriter& writer, bool in_stream = false) {
  PgoutputParser parser;
  if (in_stream) parsed<StreamStart>(parser, message('S').number(7).character(1));
  auto result = parser.parse(writer.bytes());
  EXPECT_FALSE(result.ok());
  return result.ok() ? Error{} : std::move(result).error();
}

void expect_row(TupleView row) {
  ASSERT_EQ(row.size(), 4);
  EXPECT_EQ(row[0].kind, TupleValue::Kind::null);
  EXPECT_EQ(row[1].kind, TupleValue::Kind::unchanged);
  EXPECT_EQ(row[2].kind, TupleValue::Kind::text);
  EXPECT_EQ(row[2].bytes, "hello");
  EXPECT_EQ(row[3].kind, TupleValue::Kind::binary);
  EXPECT_EQ(row[3].bytes, "\x01\x02");
}

TEST(PgoutputTest, begin_and_commit_carry_their_positions_and_time_since_1970) {
  const auto begin = parsed<Begin>(message('B').number(0x0000000116B37480LL).number(kTime).number(731));
  EXPECT_EQ(begin.final_lsn, 0x116B37480u);
  EXPECT_EQ(begin.committed_at, kTimeSince1970);
  EXPECT_EQ(begin.xid, 731u);
  const auto commit = parsed<Commit>(message('C').character(0).number(10LL).number(20LL).number(kTime));
  EXPECT_EQ(commit.commit_lsn, 10u);
  EXPECT_EQ(commit.end_lsn, 20u);
  EXPECT_EQ(commit.committed_at, kTimeSince1970);
}

TEST(PgoutputTest, relation_lists_its_columns_and_names_the_catalogue_schema) {
  const auto bytes = message('R')
                         .number(16384)
                         .text("")
                         .text("orders")
                         .character('i')
                         .number(std::uint16_t{2})
                         .character(1)
                         .text("id")
                         .number(23)
                         .number(-1)
                         .character(0)
                         .text("total")
                         .number(1700)
                         .number(655366);
  PgoutputParser parser;
  const auto relation = parsed<Relation>(parser, bytes);
  EXPECT_EQ(relation.xid, 0u);
  EXPECT_EQ(relation.oid, 16384u);
  EXPECT_EQ(relation.schema, "pg_catalog");
  EXPECT_EQ(relation.name, "orders");
  EXPECT_EQ(relation.replica_identity, 'i');
  ASSERT_EQ(relation.columns.size(), 2);
  EXPECT_TRUE(relation.columns[0].in_key);
  EXPECT_EQ(relation.columns[0].name, "id");
  EXPECT_FALSE(relation.columns[1].in_key);
  EXPECT_EQ(relation.columns[1].type_oid, 1700u);
  EXPECT_EQ(relation.columns[1].typmod, 655366);
}

TEST(PgoutputTest, rows_of_insert_update_and_delete_are_read) {
  PgoutputParser parser;
  auto insert_bytes = message('I').number(5).character('N');
  const auto insert = parsed<Insert>(parser, add_tuple(insert_bytes));
  EXPECT_EQ(insert.relation, 5u);
  expect_row(insert.after);

  auto update_bytes = message('U').number(5).character('O');
  add_tuple(update_bytes).character('N');
  const auto update = parsed<Update>(parser, add_tuple(update_bytes));
  EXPECT_EQ(update.old_kind, OldTuple::full);
  expect_row(update.before);
  expect_row(update.after);

  auto plain_bytes = message('U').number(5).character('N');
  const auto plain = parsed<Update>(parser, add_tuple(plain_bytes));
  EXPECT_EQ(plain.old_kind, OldTuple::none);
  EXPECT_TRUE(plain.before.empty());

  auto delete_bytes = message('D').number(5).character('K');
  const auto removed = parsed<Delete>(parser, add_tuple(delete_bytes));
  EXPECT_EQ(removed.old_kind, OldTuple::key);
  expect_row(removed.before);
}

TEST(PgoutputTest, truncate_type_origin_and_logical_messages_are_read) {
  PgoutputParser parser;
  const auto truncate =
      parsed<TruncateMessage>(parser, message('T').number(2).character(3).number(16384).number(16390));
  EXPECT_TRUE(truncate.cascade);
  EXPECT_TRUE(truncate.restart_identity);
  EXPECT_THAT(truncate.relations, ElementsAre(16384u, 16390u));
  const auto type_bytes = message('Y').number(16400).text("public").text("mood");
  const auto type = parsed<TypeMessage>(type_bytes);
  EXPECT_EQ(type.schema, "public");
  EXPECT_EQ(type.name, "mood");
  const auto origin_bytes = message('O').number(99LL).text("node_a");
  const auto origin = parsed<Origin>(origin_bytes);
  EXPECT_EQ(origin.lsn, 99u);
  EXPECT_EQ(origin.name, "node_a");
  const auto logical_bytes =
      message('M').character(1).number(77LL).text("maia").number(3).raw(std::string_view("a\0b", 3));
  const auto logical = parsed<LogicalMessage>(logical_bytes);
  EXPECT_TRUE(logical.transactional);
  EXPECT_EQ(logical.lsn, 77u);
  EXPECT_EQ(logical.prefix, "maia");
  EXPECT_EQ(logical.content, std::string_view("a\0b", 3));
}

TEST(PgoutputTest, messages_carry_a_transaction_id_inside_of_a_stream_block_only) {
  PgoutputParser parser;
  EXPECT_TRUE(parsed<StreamStart>(parser, message('S').number(700).character(1)).first_segment);
  EXPECT_TRUE(parser.in_stream());
  auto bytes = message('I').number(701).number(5).character('N');
  const auto insert = parsed<Insert>(parser, add_tuple(bytes));
  EXPECT_EQ(insert.xid, 701u);
  EXPECT_EQ(insert.relation, 5u);
  EXPECT_EQ(parsed<TruncateMessage>(parser, message('T').number(702).number(0).character(0)).xid, 702u);
  parsed<StreamStop>(parser, message('E'));
  EXPECT_FALSE(parser.in_stream());
  auto after_bytes = message('I').number(5).character('N');
  EXPECT_EQ(parsed<Insert>(parser, add_tuple(after_bytes)).xid, 0u);
  const auto commit = parsed<StreamCommit>(
      parser, message('c').number(700).character(0).number(1LL).number(2LL).number(kTime));
  EXPECT_EQ(commit.xid, 700u);
  EXPECT_EQ(commit.end_lsn, 2u);
}

TEST(PgoutputTest, stream_abort_has_place_and_time_only_with_parallel_streaming) {
  const auto plain = parsed<StreamAbort>(message('A').number(700).number(701));
  EXPECT_EQ(plain.subxid, 701u);
  EXPECT_EQ(plain.aborted_at, 0);
  const auto parallel = parsed<StreamAbort>(message('A').number(700).number(701).number(55LL).number(kTime));
  EXPECT_EQ(parallel.abort_lsn, 55u);
  EXPECT_EQ(parallel.aborted_at, kTimeSince1970);
}

TEST(PgoutputTest, two_phase_messages_are_read) {
  const auto begin_bytes = message('b').number(1LL).number(2LL).number(kTime).number(9).text("gid");
  const auto begin = parsed<BeginPrepare>(begin_bytes);
  EXPECT_EQ(begin.gid, "gid");
  EXPECT_EQ(begin.xid, 9u);
  for (const char kind : {'P', 'p', 'K'}) {
    const auto bytes = message(kind).character(0).number(1LL).number(2LL).number(kTime).number(9).text("gid");
    PgoutputParser parser;
    ASSERT_TRUE(parser.parse(bytes.bytes()).ok()) << kind;
  }
  const auto rollback_bytes =
      message('r').character(0).number(1LL).number(2LL).number(kTime).number(kTime + 1).number(9).text("gid");
  const auto rollback = parsed<RollbackPrepared>(rollback_bytes);
  EXPECT_EQ(rollback.rollback_end_lsn, 2u);
  EXPECT_EQ(rollback.rolled_back_at, kTimeSince1970 + 1);
}

TEST(PgoutputTest, unknown_kinds_and_flags_stop_with_their_name) {
  const auto kind = error_of(message('Z').number(1));
  EXPECT_EQ(kind.code, Error::Code::unsupported);
  EXPECT_THAT(kind.message, HasSubstr("'Z'"));
  const auto value = error_of(message('I').number(5).character('N').number(std::uint16_t{1}).character('q'));
  EXPECT_EQ(value.code, Error::Code::unsupported);
  EXPECT_THAT(value.message, HasSubstr("value of unknown kind 0x71"));
  EXPECT_EQ(error_of(message('T').number(0).character(4)).code, Error::Code::unsupported);
  EXPECT_EQ(error_of(message('D').number(5).character('X')).code, Error::Code::unsupported);
  EXPECT_EQ(error_of(message('C').character(1).number(1LL).number(2LL).number(kTime)).code,
            Error::Code::unsupported);
  EXPECT_THAT(error_of(message('\x01')).message, HasSubstr("0x01"));
}

TEST(PgoutputTest, broken_messages_are_corruption_with_kind_and_place) {
  const auto empty = error_of(WireWriter());
  EXPECT_EQ(empty.code, Error::Code::corruption);
  const auto longer = error_of(message('E').character('x'), true);
  EXPECT_EQ(longer.code, Error::Code::corruption);
  EXPECT_THAT(longer.message, HasSubstr("1 bytes too many"));
  const auto wide = error_of(message('I').number(5).character('N').number(std::uint16_t{60'000}).raw("nnn"));
  EXPECT_THAT(wide.message, HasSubstr("'I': ends early"));
  const auto huge =
      error_of(message('I').number(5).character('N').number(std::uint16_t{1}).character('t').number(-1));
  EXPECT_EQ(huge.code, Error::Code::corruption);
  EXPECT_EQ(error_of(message('B').number(1LL).number(INT64_MAX).number(3)).code, Error::Code::corruption);
}

TEST(PgoutputTest, messages_out_of_place_are_corruption) {
  EXPECT_EQ(error_of(message('E')).code, Error::Code::corruption);
  EXPECT_EQ(error_of(message('S').number(8).character(1), true).code, Error::Code::corruption);
  EXPECT_EQ(error_of(message('B').number(1LL).number(kTime).number(3), true).code, Error::Code::corruption);
}

}  // namespace
}  // namespace maia::postgres
