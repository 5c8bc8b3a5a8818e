// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "maia/config/pipeline_file.h"
#include "maia/connector/transform.h"

namespace maia::transforms {

/// A row in canonical text (types/value_text.h); nothing stands for NULL.
using TextRow = std::vector<std::pair<std::string, std::optional<std::string>>>;

/// What rows look like behind a chain of transforms.
struct Preview {
  SchemaRef schema;
  std::vector<TextRow> rows;         ///< in order, without those that were filtered out or failed
  std::vector<RowFailure> failures;  ///< by the number of the input row
};

/// Sends rows of a table, as inserts, through the transforms that apply to it. A column that a row lacks is
/// NULL.
Result<Preview> preview(std::span<const std::unique_ptr<Transform>> transforms, const SchemaRef& table,
                        std::span<const TextRow> rows);
/// The same for a batch that is there already. Removed rows are shown by what is known of them.
Result<Preview> preview(std::span<const std::unique_ptr<Transform>> transforms, const Batch& batch);

/// How one of a pipeline file's `tests:` came out.
struct ExampleOutcome {
  std::string name;
  std::vector<std::string> differences;  ///< in words; empty if it passed
};
/// Runs the examples that a pipeline file carries. Without a source at hand the table's columns are those of
/// the example's rows, with types told from their values: whole numbers are int64, numbers with a point
/// decimal, true and false boolean, mappings and lists json, all else string.
Result<std::vector<ExampleOutcome>> run_tests(const config::PipelineSettings& pipeline);

}  // namespace maia::transforms
