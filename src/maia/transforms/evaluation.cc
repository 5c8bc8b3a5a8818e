// SPDX-License-Identifier: Apache-2.0
#include "maia/transforms/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "maia/transforms/values.h"

namespace maia::transforms {
namespace {

Error does_not_fit(std::string message, std::string hint = "") {
  return {Error::Code::invalid_config, Recovery::halt, std::move(message), std::move(hint)};
}

}  // namespace

const ColumnVector& image_of(const Batch& batch, Image image, std::size_t column, std::size_t row) {
  const bool old_has = batch.has_before() && batch.before(column).presence(row) != Presence::unchanged;
  const bool new_has = batch.after(column).presence(row) != Presence::unchanged;
  if (image == Image::after) return new_has || !old_has ? batch.after(column) : batch.before(column);
  if (old_has || !batch.schema()->columns[column].in_key) {
    return batch.has_before() ? batch.before(column) : batch.after(column);
  }
  return batch.after(column);
}

bool is_missing(const Batch& batch, Image image, std::size_t column, std::size_t row) {
  // An update without a before image still has its old key; other columns of the old row are not known.
  if (image == Image::before && !batch.has_before() && !batch.schema()->columns[column].in_key) return true;
  return image_of(batch, image, column, row).presence(row) == Presence::unchanged;
}

Result<std::unique_ptr<Evaluation>> Evaluation::prepare(std::shared_ptr<Sandbox> sandbox,
                                                        duckdb_connection connection, const Mapping& mapping,
                                                        const TableSchema& input,
                                                        std::vector<std::size_t> wanted) {
  std::unique_ptr<Evaluation> made(new Evaluation(std::move(sandbox), std::move(wanted)));
  if (made->wanted_.empty()) return made;
  made->declare(mapping, input);
  MAIA_TRY(made->prepare_statement(connection, mapping));
  return made;
}

Evaluation::~Evaluation() { sandbox_->remove(this); }

void Evaluation::declare(const Mapping& mapping, const TableSchema& input) {
  std::set<std::size_t> inputs;
  for (const auto each : wanted_) {
    inputs.insert(mapping.expressions[each].inputs.begin(), mapping.expressions[each].inputs.end());
  }
  inputs_.assign(inputs.begin(), inputs.end());
  for (const auto each : inputs_) columns_.push_back({mapping.column_names[each], input.columns[each].type});
  // A relation has at least one column, even if the expressions are constants.
  if (columns_.empty()) columns_.push_back({"maia row", Type::of(TypeId::boolean)});
}

Status Evaluation::prepare_statement(duckdb_connection connection, const Mapping& mapping) {
  const auto source = sandbox_->add(this);
  std::vector<std::string> casts;
  for (const bool with_casts : {false, true}) {
    const auto sql = select(mapping, wanted_, casts, source);
    if (duckdb_prepare(connection, sql.c_str(), statement_.out()) != DuckDBSuccess) {
      return does_not_fit(first_line(duckdb_prepare_error(statement_.get())));
    }
    if (duckdb_nparams(statement_.get()) != 0)
      return does_not_fit("an expression has a parameter without value");
    if (with_casts) break;
    bool any = false;
    for (idx_t i = 0; i < wanted_.size(); ++i) {
      const LogicalTypeHandle type(duckdb_prepared_statement_column_logical_type(statement_.get(), i));
      auto result = MAIA_TRY(result_type(type.get()));
      any = any || !result.cast.empty();
      types_.push_back(std::move(result.type));
      casts.push_back(std::move(result.cast));
    }
    if (!any) break;
  }
  return {};
}

Result<std::vector<ColumnVector>> Evaluation::run(const Batch& batch, Image image,
                                                  std::span<const std::uint32_t> rows,
                                                  std::vector<RowFailure>& failures) {
  std::vector<ColumnVector> out;
  for (const auto& type : types_) out.emplace_back(physical(type));
  if (wanted_.empty() || rows.empty()) return out;
  batch_ = &batch;
  image_ = image;
  MAIA_TRY(run_part(rows, out, failures));
  batch_ = nullptr;
  return out;
}

Status Evaluation::run_part(std::span<const std::uint32_t> rows, std::vector<ColumnVector>& out,
                            std::vector<RowFailure>& failures) {
  const auto reason = try_part(rows, out);
  if (!reason) return {};
  if (rows.size() == 1) {
    failures.push_back({rows.front(), *reason});
    for (auto& column : out) column.push_null();
    return {};
  }
  const auto half = rows.size() / 2;
  MAIA_TRY(run_part(rows.first(half), out, failures));
  return run_part(rows.subspan(half), out, failures);
}

std::optional<std::string> Evaluation::try_part(std::span<const std::uint32_t> rows,
                                                std::vector<ColumnVector>& out) {
  rows_ = rows;
  const auto begin = out.front().size();
  ResultHandle result;
  const auto state = duckdb_execute_prepared(statement_.get(), result.out());
  auto raw = result.get();
  if (state != DuckDBSuccess) return first_line(duckdb_result_error(&raw));
  for (;;) {
    const ChunkHandle chunk(duckdb_fetch_chunk(raw));
    if (chunk.get() == nullptr) break;
    const auto count = duckdb_data_chunk_get_size(chunk.get());
    if (count == 0) break;
    for (std::size_t i = 0; i < out.size(); ++i) {
      take_values(duckdb_data_chunk_get_vector(chunk.get(), i), count, types_[i], out[i]);
    }
  }
  if (out.front().size() - begin == rows.size()) return {};
  for (auto& column : out) column.truncate(begin);
  return "the expressions do not give one row for each row";
}

std::optional<std::string> Evaluation::fill(duckdb_data_chunk chunk) {
  const auto count = std::min<std::size_t>(rows_.size() - next_, duckdb_vector_size());
  for (std::size_t c = 0; c < inputs_.size(); ++c) {
    auto* vector = duckdb_data_chunk_get_vector(chunk, c);
    for (std::size_t i = 0; i < count; ++i) {
      const auto row = rows_[next_ + i];
      if (is_missing(*batch_, image_, inputs_[c], row)) {
        put_null(vector, i);
        continue;
      }
      const auto& values = image_of(*batch_, image_, inputs_[c], row);
      if (auto reason = put_value(vector, i, columns_[c].type, values, row)) {
        return fmt::format("{}: {}", columns_[c].name, *reason);
      }
    }
  }
  if (inputs_.empty()) {
    for (std::size_t i = 0; i < count; ++i) put_null(duckdb_data_chunk_get_vector(chunk, 0), i);
  }
  duckdb_data_chunk_set_size(chunk, count);
  next_ += count;
  return {};
}

}  // namespace maia::transforms
