// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/row_decoder.h"

#include <gmock/gmock.h>

#include "maia/connectors/postgres/builtin_types.h"

namespace maia::postgres {
namespace {

using ::testing::HasSubstr;
using Kind = TupleValue::Kind;

TupleValue text(std::string_view value) { return {.kind = Kind::text, .bytes = value}; }
constexpr TupleValue kNull{.kind = Kind::null};
constexpr TupleValue kUnchanged{.kind = Kind::unchanged};

/// Relation (secret text, id int4 in key, note text), of which the schema has id and note.
class RowDecoderTest : public ::testing::Test {
 protected:
  RowDecoderTest() {
    relation_.schema = "public";
    relation_.name = "notes";
    relation_.columns = columns_;
    TableSchema schema{.id = "1", .name = {"public", "notes"}};
    schema.columns.push_back({.name = "id", .type = mapped_[0].type, .in_key = true});
    schema.columns.push_back({.name = "note", .type = mapped_[1].type});
    schema_ = std::make_shared<const TableSchema>(std::move(schema));
  }
  RowDecoder decoder() const { return RowDecoder::compile(schema_, mapped_, relation_).value(); }
  Batch batch() const { return Batch(schema_); }

  std::vector<RelationColumn> columns_ = {{.name = "secret", .type_oid = oid::kText},
                                          {.in_key = true, .name = "id", .type_oid = oid::kInt4},
                                          {.name = "note", .type_oid = oid::kText}};
  std::vector<MappedType> mapped_ = {map_type({.oid = oid::kInt4}), map_type({.oid = oid::kText})};
  Relation relation_;
  SchemaRef schema_;
};

TEST_F(RowDecoderTest, an_insert_has_all_its_values_in_after) {
  auto rows = batch();
  const std::vector<TupleValue> row = {text("x"), text("7"), kNull};
  ASSERT_TRUE(decoder().insert(rows, 42, {.after = row}).ok());
  EXPECT_EQ(rows.op(0), Op::insert);
  EXPECT_EQ(rows.ordinal(0), 42u);
  EXPECT_EQ(rows.after(0).fixed<std::int32_t>(0), 7);
  EXPECT_EQ(rows.after(1).presence(0), Presence::null);
  EXPECT_FALSE(rows.has_before());
}

TEST_F(RowDecoderTest, an_update_without_an_old_row_keeps_what_was_not_sent_unchanged) {
  auto rows = batch();
  const std::vector<TupleValue> row = {text("x"), text("7"), kUnchanged};
  ASSERT_TRUE(decoder().update(rows, 1, {.after = row}).ok());
  EXPECT_EQ(rows.op(0), Op::update);
  EXPECT_EQ(rows.after(1).presence(0), Presence::unchanged);
  EXPECT_FALSE(rows.has_before());
}

TEST_F(RowDecoderTest, an_old_key_gives_key_columns_only_and_nulls_of_others_are_no_values) {
  auto rows = batch();
  const std::vector<TupleValue> plain = {text("x"), text("6"), text("n")};
  const std::vector<TupleValue> old_row = {kNull, text("7"), kNull};
  const std::vector<TupleValue> new_row = {text("x"), text("8"), text("n")};
  const auto made = decoder();
  ASSERT_TRUE(made.insert(rows, 0, {.after = plain}).ok());
  ASSERT_TRUE(made.update(rows, 1, {.old_kind = OldTuple::key, .before = old_row, .after = new_row}).ok());
  EXPECT_EQ(rows.before(0).presence(0), Presence::unchanged);
  EXPECT_EQ(rows.before(0).fixed<std::int32_t>(1), 7);
  EXPECT_EQ(rows.before(1).presence(1), Presence::unchanged);
  EXPECT_EQ(rows.old_key(0, 1).fixed<std::int32_t>(1), 7);
  EXPECT_EQ(rows.after(0).fixed<std::int32_t>(1), 8);
}

TEST_F(RowDecoderTest, a_full_old_row_supplies_what_the_new_row_leaves_out) {
  auto rows = batch();
  const std::vector<TupleValue> old_row = {text("x"), text("7"), text("long")};
  const std::vector<TupleValue> new_row = {text("y"), text("7"), kUnchanged};
  ASSERT_TRUE(
      decoder().update(rows, 1, {.old_kind = OldTuple::full, .before = old_row, .after = new_row}).ok());
  EXPECT_EQ(rows.after(1).text(0), "long");
  EXPECT_EQ(rows.before(1).text(0), "long");
}

TEST_F(RowDecoderTest, a_delete_has_only_a_before_image) {
  auto rows = batch();
  const std::vector<TupleValue> key = {kNull, text("7"), kNull};
  const std::vector<TupleValue> full = {kNull, text("8"), kNull};
  const auto made = decoder();
  ASSERT_TRUE(made.remove(rows, 1, {.old_kind = OldTuple::key, .before = key}).ok());
  ASSERT_TRUE(made.remove(rows, 2, {.old_kind = OldTuple::full, .before = full}).ok());
  EXPECT_EQ(rows.after(0).presence(0), Presence::unchanged);
  EXPECT_EQ(rows.before(0).fixed<std::int32_t>(0), 7);
  EXPECT_EQ(rows.before(1).presence(0), Presence::unchanged);
  EXPECT_EQ(rows.before(1).presence(1), Presence::null);
}

TEST_F(RowDecoderTest, a_value_that_cannot_be_read_leaves_the_batch_as_it_was) {
  auto rows = batch();
  const std::vector<TupleValue> good = {text("x"), text("7"), text("n")};
  const std::vector<TupleValue> bad = {text("x"), text("seven"), text("n")};
  const auto made = decoder();
  ASSERT_TRUE(made.insert(rows, 0, {.after = good}).ok());
  const auto status = made.insert(rows, 1, {.after = bad});
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("public.notes: column id"));
  EXPECT_EQ(rows.rows(), 1);
  EXPECT_EQ(rows.after(1).size(), 1);
}

TEST_F(RowDecoderTest, rows_of_another_width_and_inserts_with_holes_are_corruption) {
  auto rows = batch();
  const std::vector<TupleValue> narrow = {text("x"), text("7")};
  const std::vector<TupleValue> whole = {text("x"), text("7"), text("n")};
  const std::vector<TupleValue> holed = {text("x"), text("7"), kUnchanged};
  const auto made = decoder();
  EXPECT_EQ(made.insert(rows, 0, {.after = narrow}).error().code, Error::Code::corruption);
  EXPECT_EQ(made.insert(rows, 0, {.after = {}}).error().code, Error::Code::corruption);
  EXPECT_EQ(made.remove(rows, 0, {.old_kind = OldTuple::key, .before = narrow}).error().code,
            Error::Code::corruption);
  EXPECT_EQ(made.update(rows, 0, {.old_kind = OldTuple::full, .before = narrow, .after = whole}).error().code,
            Error::Code::corruption);
  EXPECT_EQ(made.insert(rows, 0, {.after = holed}).error().code, Error::Code::corruption);
  EXPECT_EQ(rows.rows(), 0);
}

TEST_F(RowDecoderTest, a_relation_that_lacks_a_column_or_has_another_type_is_refused_by_name) {
  columns_[2].type_oid = oid::kInt8;
  const auto retyped = RowDecoder::compile(schema_, mapped_, relation_);
  ASSERT_FALSE(retyped.ok());
  EXPECT_THAT(retyped.error().message, HasSubstr("column note of public.notes"));
  columns_[2].name = "remark";
  const auto renamed = RowDecoder::compile(schema_, mapped_, relation_);
  ASSERT_FALSE(renamed.ok());
  EXPECT_EQ(renamed.error().code, Error::Code::unsupported);
  EXPECT_THAT(renamed.error().message, HasSubstr("not in the stream"));
}

}  // namespace
}  // namespace maia::postgres
