// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/statement_pipeline.h"

#include <libpq-fe.h>

namespace maia::postgres {
namespace {

/// So many statements may be unanswered.
constexpr std::size_t kInFlight = 2'000;

}  // namespace

Status StatementPipeline::start() {
  pending_.clear();
  outcomes_.clear();
  read_ = 0;
  failed_tag_.reset();
  error_.reset();
  last_command_.clear();
  if (PQenterPipelineMode(connection_.native()) == 0) return connection_.error_of(nullptr, "send");
  return {};
}

Status StatementPipeline::prepare(const std::string& name, const std::string& sql) {
  return sent(PQsendPrepare(connection_.native(), name.c_str(), sql.c_str(), 0, nullptr), 0, false);
}

Status StatementPipeline::execute(const std::string& name, std::span<const char* const> values,
                                  std::size_t tag) {
  return sent(PQsendQueryPrepared(connection_.native(), name.c_str(), static_cast<int>(values.size()),
                                  values.data(), nullptr, nullptr, 0),
              tag, true);
}

Status StatementPipeline::run(const std::string& sql, std::span<const char* const> values, std::size_t tag) {
  return sent(PQsendQueryParams(connection_.native(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                                values.data(), nullptr, nullptr, 0),
              tag, true);
}

Status StatementPipeline::sent(int accepted, std::size_t tag, bool counts) {
  if (accepted == 0) return connection_.error_of(nullptr, "send");
  pending_.push_back({tag, counts});
  if (pending_.size() - read_ < kInFlight) return {};
  if (PQsendFlushRequest(connection_.native()) == 0) return connection_.error_of(nullptr, "send");
  MAIA_TRY(connection_.flush());
  return read_pending();
}

Status StatementPipeline::receive() {
  while (PQisBusy(connection_.native()) != 0) {
    MAIA_TRY(connection_.wait_readable(std::chrono::milliseconds{60'000}, {}));
  }
  return {};
}

/// One statement's answer: its result, and the null that ends it.
Status StatementPipeline::read_one() {
  MAIA_TRY(receive());
  const Rows result(PQgetResult(connection_.native()));
  if (result.native() == nullptr) return connection_.error_of(nullptr, "receive");
  const auto& pending = pending_[read_++];
  const auto status = PQresultStatus(result.native());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
    if (pending.counts) outcomes_.push_back({pending.tag, result.affected()});
    last_command_ = PQcmdStatus(result.native());
  } else if (status != PGRES_PIPELINE_ABORTED && !error_) {
    error_ = connection_.error_of(result.native(), connection_.where());
    failed_tag_ = pending.tag;
    if (connection_.broken()) return *error_;
  }
  MAIA_TRY(receive());
  if (PQgetResult(connection_.native()) != nullptr) {
    return Error{Error::Code::internal, Recovery::reconnect, "a statement of a pipeline gave two results",
                 ""};
  }
  return {};
}

Status StatementPipeline::read_pending() {
  while (read_ < pending_.size()) MAIA_TRY(read_one());
  pending_.clear();
  read_ = 0;
  return {};
}

Status StatementPipeline::finish() {
  if (PQpipelineSync(connection_.native()) == 0) return connection_.error_of(nullptr, "send");
  MAIA_TRY(connection_.flush());
  MAIA_TRY(read_pending());
  MAIA_TRY(receive());
  const Rows sync(PQgetResult(connection_.native()));
  if (sync.native() == nullptr || PQresultStatus(sync.native()) != PGRES_PIPELINE_SYNC ||
      PQexitPipelineMode(connection_.native()) == 0) {
    return connection_.error_of(nullptr, "receive");
  }
  if (error_) return *error_;
  return {};
}

}  // namespace maia::postgres
