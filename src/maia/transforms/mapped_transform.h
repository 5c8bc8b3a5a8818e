// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "maia/connector/transform.h"
#include "maia/transforms/sandbox.h"
#include "maia/transforms/script.h"
#include "maia/transforms/sql_select.h"

namespace maia::transforms {

/// A script or a SELECT as a transform. Thread-safe; what `bind` returns is not.
class MappedTransform final : public Transform {
 public:
  using Source = std::variant<Script, SqlSelect>;
  /// `tables` are "schema.table" or "table", with `*` for any characters; empty: every table that has the
  /// columns.
  MappedTransform(std::string name, std::vector<std::string> tables, Source source,
                  std::shared_ptr<Sandbox> sandbox)
      : name_(std::move(name)),
        tables_(std::move(tables)),
        source_(std::move(source)),
        sandbox_(std::move(sandbox)) {}

  const std::string& name() const override { return name_; }
  bool applies_to(const TableSchema& schema) const override;
  Result<std::unique_ptr<BoundTransform>> bind(const SchemaRef& input) override;

 private:
  std::string name_;
  std::vector<std::string> tables_;
  Source source_;
  std::shared_ptr<Sandbox> sandbox_;
};

}  // namespace maia::transforms
