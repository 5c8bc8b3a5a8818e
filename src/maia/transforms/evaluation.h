// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "maia/connector/transform.h"
#include "maia/transforms/mapping.h"
#include "maia/transforms/sandbox.h"

namespace maia::transforms {

/// Which image of a row expressions read.
enum class Image : std::uint8_t {
  after,   ///< the new row; what was not sent comes from the old one if that has it
  before,  ///< the old row; its key, where it is not given, is that of the new one
};

/// The vector that holds a row's value in an image of it.
const ColumnVector& image_of(const Batch& batch, Image image, std::size_t column, std::size_t row);
bool is_missing(const Batch& batch, Image image, std::size_t column, std::size_t row);

/// Some expressions of a mapping as one prepared statement. Used from one thread.
class Evaluation final : public Feed {
 public:
  /// `connection` outlives it. Code::invalid_config, in DuckDB's words, if the expressions do not fit the
  /// input.
  static Result<std::unique_ptr<Evaluation>> prepare(std::shared_ptr<Sandbox> sandbox,
                                                     duckdb_connection connection, const Mapping& mapping,
                                                     const TableSchema& input,
                                                     std::vector<std::size_t> wanted);
  ~Evaluation() override;

  /// Expressions that it computes, ascending; and the canonical type of each.
  const std::vector<std::size_t>& wanted() const { return wanted_; }
  const std::vector<Type>& types() const { return types_; }

  /// Computes all of them for these rows of the batch: one vector each, as long as `rows`. A row that fails
  /// has nulls and is added to `failures`; the others are not affected.
  Result<std::vector<ColumnVector>> run(const Batch& batch, Image image, std::span<const std::uint32_t> rows,
                                        std::vector<RowFailure>& failures);

  const std::vector<Column>& columns() const override { return columns_; }
  void rewind() override { next_ = 0; }
  std::optional<std::string> fill(duckdb_data_chunk chunk) override;

 private:
  Evaluation(std::shared_ptr<Sandbox> sandbox, std::vector<std::size_t> wanted)
      : sandbox_(std::move(sandbox)), wanted_(std::move(wanted)) {}
  void declare(const Mapping& mapping, const TableSchema& input);
  Status prepare_statement(duckdb_connection connection, const Mapping& mapping);
  /// Runs over a part of the rows, and over its halves if one of them fails.
  Status run_part(std::span<const std::uint32_t> rows, std::vector<ColumnVector>& out,
                  std::vector<RowFailure>& failures);
  /// The reason, if it fails; then nothing is added to `out`.
  std::optional<std::string> try_part(std::span<const std::uint32_t> rows, std::vector<ColumnVector>& out);

  std::shared_ptr<Sandbox> sandbox_;
  std::vector<std::size_t> wanted_;
  std::vector<Type> types_;
  std::vector<Column> columns_;
  std::vector<std::size_t> inputs_;  ///< input column of each of columns_; empty if it reads none
  PreparedHandle statement_;

  // While a run lasts.
  const Batch* batch_ = nullptr;
  Image image_ = Image::after;
  std::span<const std::uint32_t> rows_;
  std::size_t next_ = 0;
};

}  // namespace maia::transforms
