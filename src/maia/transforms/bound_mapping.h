// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "maia/connector/transform.h"
#include "maia/transforms/evaluation.h"
#include "maia/transforms/mapping.h"

namespace maia::transforms {

/// A mapping that is ready to run on batches of one schema.
class BoundMapping final : public BoundTransform {
 public:
  /// Code::invalid_config, with the place of the expression, for what DuckDB refuses.
  static Result<std::unique_ptr<BoundTransform>> prepare(std::shared_ptr<Sandbox> sandbox, Mapping mapping,
                                                         SchemaRef input);

  const SchemaRef& output() const override { return output_; }
  Result<Batch> apply(const Batch& batch, std::vector<RowFailure>& failures) override;

 private:
  /// What becomes of a row.
  enum class Fate : std::uint8_t {
    pass,
    reject,  ///< by the filter
    ask,     ///< the new row passes but lacks values, so it matters whether the old one passed
    enter,   ///< the new row passes and the old one did not: an insert
    fail,
  };
  /// What was computed for one image of the rows of a batch.
  struct Computed {
    std::vector<std::uint32_t> rows;   ///< ascending
    std::vector<ColumnVector> values;  ///< one for each of the evaluation's expressions
    const ColumnVector& value(const Evaluation& evaluation, std::size_t expression) const;
    std::size_t index(std::size_t row) const;  ///< of a row of the batch in `values`
  };

  BoundMapping(std::shared_ptr<Sandbox> sandbox, Mapping mapping, SchemaRef input)
      : sandbox_(std::move(sandbox)), mapping_(std::move(mapping)), input_(std::move(input)) {}

  Status prepare_evaluations();
  Status check_expressions();
  /// Finds the expression that DuckDB does not take, for its place.
  Error explain(const Error& error);
  void make_output();

  /// Batches in which every value was sent and nothing is left out move column by column.
  bool is_simple(const Batch& batch) const;
  Result<Batch> apply_simple(const Batch& batch, Computed after);
  Fate fate(const Batch& batch, const Computed& after, std::size_t row, std::string& reason) const;
  /// Decides what Fate::ask left open.
  Fate fate_by_old_row(const Batch& batch, const Computed& before, std::size_t row,
                       std::string& reason) const;
  /// Whether some output value of an update is not there because it did not change.
  bool lacks_values(const Batch& batch, std::size_t row) const;
  static std::vector<std::uint32_t> rows_with_old_image(const Batch& batch, const std::vector<Fate>& fates);
  Batch assemble(const Batch& batch, const Computed& after, const Computed& before,
                 const std::vector<Fate>& fates) const;
  /// `whole`: what was not sent comes from the old row.
  void push_after(const Batch& batch, const Computed& after, std::size_t row, bool whole, Batch& out) const;
  void push_before(const Batch& batch, const Computed& before, std::size_t row, Batch& out) const;
  /// The output column whose value cannot be had for an update, or nothing.
  std::optional<std::string> impossible(const Batch& batch, std::size_t row) const;
  /// Whether nothing that an expression reads was changed by this update.
  bool inputs_unchanged(const Batch& batch, const std::vector<std::size_t>& inputs, std::size_t row) const;

  std::shared_ptr<Sandbox> sandbox_;
  ConnectionHandle connection_;
  Mapping mapping_;
  SchemaRef input_;
  SchemaRef output_;
  std::unique_ptr<Evaluation> after_;
  std::unique_ptr<Evaluation> before_;
};

}  // namespace maia::transforms
