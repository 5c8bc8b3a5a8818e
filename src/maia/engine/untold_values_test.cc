// SPDX-License-Identifier: Apache-2.0
#include "maia/engine/untold_values.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

namespace maia::engine {
namespace {

/// A table `t (id, note)` and one update of it.
class UntoldValues : public ::testing::Test {
 protected:
  UntoldValues() {
    TableSchema schema;
    schema.name = {"public", "t"};
    schema.columns.push_back({.name = "id", .type = Type::text(), .in_key = true});
    schema.columns.push_back({.name = "note", .type = Type::text()});
    batch.emplace(std::make_shared<const TableSchema>(std::move(schema)));
  }
  void update(const std::optional<std::string>& old_id, const std::string& id,
              const std::optional<std::string>& note) {
    batch->begin_row(Op::update, batch->rows());
    batch->mutable_after(0).push_text(id);
    if (note) {
      batch->mutable_after(1).push_text(*note);
    } else {
      batch->mutable_after(1).push_unchanged();
    }
    if (old_id) {
      batch->mutable_before(0).push_text(*old_id);
      batch->mutable_before(1).push_unchanged();
    }
    batch->finish_row();
  }
  std::optional<Batch> batch;
};

TEST_F(UntoldValues, go_nowhere_while_the_key_stays) {
  update({}, "a", {});
  EXPECT_FALSE(moves_untold_values(*batch));
  update("a", "a", {});
  EXPECT_FALSE(moves_untold_values(*batch)) << "a whole before image tells no change of the key";
}

TEST_F(UntoldValues, are_not_needed_where_a_move_tells_all) {
  update("a", "b", "whole");
  update({}, "c", {});
  EXPECT_FALSE(moves_untold_values(*batch));
}

TEST_F(UntoldValues, move_with_the_key) {
  update("a", "b", "whole");
  update("c", "d", {});
  EXPECT_TRUE(moves_untold_values(*batch));
}

}  // namespace
}  // namespace maia::engine
