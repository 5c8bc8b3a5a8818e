// SPDX-License-Identifier: Apache-2.0
#include "maia/transforms/bound_mapping.h"

#include <gmock/gmock.h>

#include "maia/testing/random_window.h"
#include "maia/transforms/make_transform.h"
#include "maia/types/decimal.h"
#include "maia/types/value_text.h"

namespace maia::transforms {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const auto kSandbox = Sandbox::instance();

constexpr const char* kUnchanged = "~";
constexpr const char* kNull = "NULL";
using Values = std::vector<const char*>;

/// Builds batches of one table, and shows what a script makes of them.
class BoundMappingTest : public ::testing::Test {
 protected:
  void table(Identity identity) {
    auto made = std::make_shared<TableSchema>();
    made->name = {"public", "t"};
    made->identity = identity;
    made->columns = {
        {.name = "id", .type = Type::of(TypeId::int64), .nullable = false, .in_key = true, .id = {}},
        {.name = "body", .type = Type::text(), .id = {}},
        {.name = "n", .type = Type::of(TypeId::int32), .id = {}}};
    schema = made;
    batch = std::make_unique<Batch>(schema);
  }

  void push(ColumnVector& column, const Type& type, std::string_view text) {
    if (text == kUnchanged) return column.push_unchanged();
    if (text == kNull) return column.push_null();
    ASSERT_TRUE(push_value_text(column, type, text).ok()) << text;
  }

  void add(Op op, const Values& after, const Values& before = {}) {
    batch->begin_row(op, batch->rows() * 10);
    for (std::size_t i = 0; i < after.size(); ++i)
      push(batch->mutable_after(i), schema->columns[i].type, after[i]);
    for (std::size_t i = 0; i < before.size(); ++i)
      push(batch->mutable_before(i), schema->columns[i].type, before[i]);
    batch->finish_row();
  }

  static std::string image(const Batch& shown, std::size_t row, bool after) {
    std::string text;
    for (std::size_t i = 0; i < shown.columns(); ++i) {
      const auto& column = after ? shown.after(i) : shown.before(i);
      if (column.presence(row) == Presence::value) {
        append_value_text(text, shown.schema()->columns[i].type, column, row);
      } else {
        text += column.presence(row) == Presence::null ? kNull : kUnchanged;
      }
      text += ' ';
    }
    return text;
  }
  /// "update@10 after values / before values" for each row.
  static std::string show(const Batch& shown) {
    constexpr const char* kOps[] = {"read", "insert", "update", "remove"};
    std::string text;
    for (std::size_t row = 0; row < shown.rows(); ++row) {
      text +=
          std::string(kOps[static_cast<int>(shown.op(row))]) + "@" + std::to_string(shown.ordinal(row)) + " ";
      text += image(shown, row, true);
      if (shown.has_before()) text += "/ " + image(shown, row, false);
      text += "\n";
    }
    return text;
  }

  std::string apply(const std::string& script) {
    const config::TransformSettings settings{
        .name = "t", .script = script, .sql = {}, .tables = {}, .mark = {}};
    const auto made = make_transforms(std::span(&settings, 1));
    if (!made.ok()) return made.error().message;
    const auto bound = made->front()->bind(schema);
    if (!bound.ok()) return bound.error().message;
    failures.clear();
    auto out = (*bound)->apply(*batch, failures);
    if (!out.ok()) return out.error().message;
    key.clear();
    for (const auto& column : (*bound)->output()->columns) key += column.in_key ? column.name + " " : "";
    return show(*out);
  }

  SchemaRef schema;
  std::unique_ptr<Batch> batch;
  std::vector<RowFailure> failures;
  std::string key;
};

TEST_F(BoundMappingTest, what_was_not_sent_stays_unchanged) {
  table(Identity::key);
  add(Op::update, {"1", kUnchanged, "5"});
  EXPECT_EQ(apply("out.id = in.id\nout.b = in.body\nout.u = upper(in.body)\nout.m = in.n + 1"),
            "update@0 1 ~ ~ 6 \n");
  EXPECT_THAT(failures, IsEmpty());
}

TEST_F(BoundMappingTest, a_key_that_did_not_change_and_an_unchanged_column_make_an_unchanged_value) {
  table(Identity::key);
  add(Op::update, {"1", kUnchanged, "5"});
  EXPECT_EQ(apply("out.id = in.id\nout.b = in.id || in.body"), "update@0 1 ~ \n");
  EXPECT_THAT(failures, IsEmpty());
}

TEST_F(BoundMappingTest, a_value_of_changed_and_unsent_columns_fails_its_row_alone) {
  table(Identity::key);
  add(Op::update, {"1", kUnchanged, "5"});
  add(Op::update, {"2", "x", "6"});
  EXPECT_EQ(apply("out.id = in.id\nout.b = in.n || in.body"), "update@10 2 6x \n");
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures[0].row, 0U);
  EXPECT_THAT(failures[0].reason, HasSubstr("b depends on a column that the source did not send"));
  // A changed key counts as changed too.
  batch->clear();
  add(Op::update, {"3", kUnchanged, "5"}, {"2", kUnchanged, kUnchanged});
  EXPECT_EQ(apply("out.id = in.id\nout.b = in.id || in.body"), "");
  EXPECT_EQ(failures.size(), 1U);
}

TEST_F(BoundMappingTest, the_old_row_gives_what_was_not_sent_under_full_identity) {
  table(Identity::full);
  add(Op::update, {"1", kUnchanged, "6"}, {"1", "old", "5"});
  EXPECT_EQ(apply("out.id = in.id\nout.b = in.n || in.body\nout.c = in.body"),
            "update@0 1 6old ~ / 1 5old old \n");
  EXPECT_THAT(failures, IsEmpty());
}

TEST_F(BoundMappingTest, removes_carry_the_mapped_key) {
  table(Identity::key);
  add(Op::insert, {"1", "a", "5"});
  add(Op::remove, {}, {"1", kUnchanged, kUnchanged});
  EXPECT_EQ(apply("out.key = 'k' || in.id\nout.b = lower(in.body)\nout.n = in.n"),
            "insert@0 k1 a 5 / ~ ~ ~ \nremove@10 ~ ~ ~ / k1 ~ ~ \n");
  EXPECT_EQ(key, "key ");
  EXPECT_EQ(apply("out.id = in.id\nout.b = lower(in.body)"), "insert@0 1 a / ~ ~ \nremove@10 ~ ~ / 1 ~ \n");
}

TEST_F(BoundMappingTest, whole_old_rows_are_mapped_under_full_identity) {
  table(Identity::full);
  add(Op::remove, {}, {"1", "A", "5"});
  EXPECT_EQ(apply("out.b = lower(in.body)\nout.m = in.n * 2"), "remove@0 ~ ~ / a 10 \n");
}

TEST_F(BoundMappingTest, a_changed_key_keeps_its_old_value_in_the_before_image) {
  table(Identity::key);
  add(Op::update, {"2", "a", "5"}, {"1", kUnchanged, kUnchanged});
  add(Op::update, {"3", "b", "6"});
  EXPECT_EQ(apply("out.id = in.id * 100\nout.b = in.body"),
            "update@0 200 a / 100 ~ \nupdate@10 300 b / ~ ~ \n");
}

TEST_F(BoundMappingTest, a_filter_turns_updates_into_removes_and_lets_removes_pass) {
  table(Identity::key);
  add(Op::insert, {"1", "a", "5"});
  add(Op::insert, {"2", "b", "-5"});
  add(Op::update, {"3", "c", "-6"});
  add(Op::update, {"4", "d", kNull}, {"40", kUnchanged, kUnchanged});
  add(Op::update, {"5", "e", "7"});
  add(Op::remove, {}, {"6", kUnchanged, kUnchanged});
  EXPECT_EQ(apply("out.id = in.id\nout.k = in.id + 1000\nout.b = in.body\nfilter in.n > 0"),
            "insert@0 1 1001 a / ~ ~ ~ \n"
            "remove@20 ~ ~ ~ / 3 1003 ~ \n"
            "remove@30 ~ ~ ~ / 40 1040 ~ \n"
            "update@40 5 1005 e / ~ ~ ~ \n"
            "remove@50 ~ ~ ~ / 6 1006 ~ \n");
}

TEST_F(BoundMappingTest, a_filter_that_lacks_its_column_fails_the_row) {
  table(Identity::key);
  add(Op::update, {"1", kUnchanged, "5"});
  EXPECT_EQ(apply("out = in\nfilter in.body = 'x'"), "");
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_THAT(failures[0].reason, HasSubstr("the filter reads a column that the source did not send"));
}

TEST_F(BoundMappingTest, a_row_that_enters_the_filter_by_an_update_brings_all_its_values_or_fails) {
  table(Identity::key);
  add(Op::update, {"1", "b", "5"});
  add(Op::update, {"2", kUnchanged, "5"});
  EXPECT_EQ(apply("out = in\nfilter in.n > 0"), "update@0 1 b 5 \n");
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_THAT(failures[0].reason, HasSubstr("it may enter the filter by this update"));
  // The filter reads nothing that changed, so the row is where it was.
  EXPECT_EQ(apply("out = in\nfilter in.id > 0"), "update@0 1 b 5 \nupdate@10 2 ~ 5 \n");
  EXPECT_THAT(failures, IsEmpty());
}

TEST_F(BoundMappingTest, a_filter_on_the_key_knows_the_old_row_by_its_old_key) {
  table(Identity::key);
  add(Op::update, {"10", kUnchanged, "1"}, {"20", kUnchanged, kUnchanged});
  add(Op::update, {"-1", kUnchanged, "1"}, {"30", kUnchanged, kUnchanged});
  add(Op::update, {"40", kUnchanged, "1"}, {"-40", kUnchanged, kUnchanged});
  EXPECT_EQ(apply("out = in\nfilter in.id > 0"), "update@0 10 ~ 1 / 20 ~ ~ \nremove@10 ~ ~ ~ / 30 ~ ~ \n");
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures[0].row, 2U);
}

TEST_F(BoundMappingTest, the_old_row_tells_whether_it_enters_the_filter) {
  table(Identity::full);
  add(Op::update, {"1", kUnchanged, "5"}, {"1", "old", "-5"});
  add(Op::update, {"2", kUnchanged, "5"}, {"2", "old", "4"});
  add(Op::update, {"3", kUnchanged, "-5"}, {"3", "old", "4"});
  EXPECT_EQ(apply("out = in\nout.up = upper(in.body)\nfilter in.n > 0"),
            "insert@0 1 old 5 OLD / ~ ~ ~ ~ \n"
            "update@10 2 ~ 5 OLD / 2 old 4 OLD \n"
            "remove@20 ~ ~ ~ ~ / 3 old 4 OLD \n");
  EXPECT_THAT(failures, IsEmpty());
}

TEST_F(BoundMappingTest, many_failures_among_many_rows_are_all_found) {
  table(Identity::key);
  for (int i = 0; i < 5000; ++i) {
    add(Op::insert, {std::to_string(i).c_str(), i % 500 == 77 ? "bad" : "7", "1"});
  }
  apply("out.id = in.id\nout.v = in.body::int");
  ASSERT_EQ(failures.size(), 10U);
  for (std::size_t i = 0; i < failures.size(); ++i) {
    EXPECT_EQ(failures[i].row, 77 + 500 * i);
    EXPECT_THAT(failures[i].reason, HasSubstr("Could not convert string 'bad' to INT32"));
  }
}

TEST_F(BoundMappingTest, copies_never_touch_the_values) {
  testing::RandomWindows random(99);
  for (int round = 0; round < 20; ++round) {
    schema = random.schema();
    batch = std::make_unique<Batch>(random.batch(schema, 100));
    const config::TransformSettings all{
        .name = "t", .script = "out = in", .sql = {}, .tables = {}, .mark = {}};
    const auto made = make_transforms(std::span(&all, 1));
    const auto bound = made->front()->bind(schema);
    ASSERT_TRUE(bound.ok()) << bound.error().message;
    const auto out = (*bound)->apply(*batch, failures);
    ASSERT_TRUE(out.ok());
    ASSERT_EQ(out->rows(), batch->rows());
    for (std::size_t row = 0; row < batch->rows(); ++row) {
      ASSERT_EQ(image(*out, row, true), image(*batch, row, true));
      if (batch->has_before()) {
        ASSERT_EQ(image(*out, row, false), image(*batch, row, false));
      }
    }
  }
}

/// Every canonical type goes through DuckDB and comes back as it was, at its edges too.
TEST_F(BoundMappingTest, values_of_every_type_pass_through_expressions_unharmed) {
  struct Case {
    Type type;
    std::vector<const char*> values;
  };
  const std::vector<Case> cases{
      {Type::of(TypeId::boolean), {"t", "f"}},
      {Type::of(TypeId::int16), {"-32768", "32767"}},
      {Type::of(TypeId::int32), {"-2147483648", "2147483647"}},
      {Type::of(TypeId::int64), {"-9223372036854775808", "9223372036854775807"}},
      {Type::of(TypeId::float32), {"1.5", "NaN", "Infinity", "-Infinity", "-0"}},
      {Type::of(TypeId::float64), {"0.1", "NaN", "Infinity", "-Infinity", "1e+300"}},
      {Type::decimal(4, 1), {"-999.9", "999.9"}},
      {Type::decimal(9, 2), {"-9999999.99"}},
      {Type::decimal(18, 0), {"999999999999999999"}},
      {Type::decimal(38, 10), {"-9999999999999999999999999999.9999999999", "0.0000000001"}},
      {Type::decimal(3, 5), {"0.00123"}},
      {Type::decimal(0, 0), {"123456789012345678901234567890123456789012.5", "NaN"}},
      {Type::text(), {"", "Grüße 😀", "a'b\"c"}},
      {Type::text("inet"), {"192.168.0.1/24"}},
      {Type::of(TypeId::bytes), {"\\x", "\\x00ff10"}},
      {Type::of(TypeId::date), {"2026-11-23", "infinity", "-infinity", "0044-03-15 BC", "5874897-12-31"}},
      {Type::of(TypeId::time), {"00:00:00", "24:00:00", "23:59:59.999999"}},
      {Type::of(TypeId::timestamp),
       {"2026-11-23 22:29:50.5", "infinity", "-infinity", "4713-01-01 00:00:00 BC"}},
      {Type::of(TypeId::timestamp_tz), {"2026-11-23 22:29:50.5+00", "infinity", "-infinity"}},
      {Type::of(TypeId::interval), {"P1Y2M-3DT4H5M6.5S", "P-1M"}},
      {Type::of(TypeId::uuid),
       {"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "8a2f0d3c-1111-4222-8333-444455556666"}},
      {Type::of(TypeId::json), {R"({"a": [1, null]})"}},
      {Type::array_of(Type::of(TypeId::int32)), {"{1,NULL,3}"}},
  };
  for (const auto& each : cases) {
    auto made = std::make_shared<TableSchema>();
    made->columns = {{.name = "v", .type = each.type, .id = {}}};
    schema = made;
    batch = std::make_unique<Batch>(schema);
    for (const auto* value : each.values) add(Op::insert, {value});
    add(Op::insert, {kNull});
    // coalesce makes an expression of it; the filter keeps rows apart from the copying way.
    std::string expected;
    for (std::size_t row = 0; row < batch->rows(); ++row) expected += image(*batch, row, true);
    const auto shown = apply("out.w = coalesce(in.v, in.v)");
    std::string got;
    for (std::size_t begin = 0; begin < shown.size();) {
      const auto end = shown.find('\n', begin);
      const auto line = shown.substr(begin, end - begin);
      got += line.substr(line.find(' ') + 1);
      begin = end + 1;
    }
    EXPECT_EQ(got, expected) << to_string(each.type) << "\n" << shown;
    EXPECT_THAT(failures, IsEmpty());
  }
}

TEST_F(BoundMappingTest, values_that_duckdb_cannot_hold_fail_their_row) {
  auto made = std::make_shared<TableSchema>();
  made->columns = {{.name = "d", .type = Type::decimal(10, 2), .id = {}},
                   {.name = "t", .type = Type::text(), .id = {}}};
  schema = made;
  batch = std::make_unique<Batch>(schema);
  add(Op::insert, {"NaN", "a"});
  add(Op::insert, {"1.00", "\xff"});
  add(Op::insert, {"2.00", "b"});
  EXPECT_EQ(apply("out.d = in.d + 1\nout.t = upper(in.t)"), "insert@20 3.00 B \n");
  ASSERT_EQ(failures.size(), 2U);
  EXPECT_THAT(failures[0].reason, HasSubstr("in.d: NaN and infinity cannot be used in an expression"));
  EXPECT_THAT(failures[1].reason, HasSubstr("in.t: text that is not valid UTF-8"));
  EXPECT_EQ(apply("out = in\ndrop out.t"), "insert@0 NaN \ninsert@10 1.00 \ninsert@20 2.00 \n");
}

TEST_F(BoundMappingTest, results_of_other_types_become_canonical_ones) {
  table(Identity::key);
  add(Op::insert, {"1", "a", "5"});
  EXPECT_EQ(apply("out.id = in.id\nout.a = in.n::tinyint\nout.b = in.n::ubigint\nout.c = in.n::hugeint\n"
                  "out.d = [in.n, 6]\nout.e = {'x': in.n}\nout.f = '2026-01-02'::timestamp_ns\n"
                  "out.g = '12:00:00+02'::timetz\nout.h = '101'::bit\nout.i = NULL"),
            "insert@0 1 5 5 5 [5,6] {\"x\":5} 2026-01-02 00:00:00 12:00:00+02 101 NULL \n");
}

}  // namespace
}  // namespace maia::transforms
