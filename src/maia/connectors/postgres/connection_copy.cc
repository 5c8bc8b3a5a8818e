// SPDX-License-Identifier: Apache-2.0
#include <libpq-fe.h>

#include "maia/connectors/postgres/connection.h"

namespace maia::postgres {
namespace {

std::chrono::steady_clock::time_point deadline_of(const Limits& limits) {
  using Clock = std::chrono::steady_clock;
  return limits.timeout.count() == 0 ? Clock::time_point::max() : Clock::now() + limits.timeout;
}

}  // namespace

Status Connection::copy_out(const std::string& sql, const Sink& sink, const Limits& limits) {
  sqlstate_.clear();
  const auto until = deadline_of(limits);
  if (PQsendQuery(conn_, sql.c_str()) == 0) return error_of(nullptr, "send");
  Rows first(MAIA_TRY(next_result(until, limits)));
  if (first.native() == nullptr || PQresultStatus(first.native()) != PGRES_COPY_OUT) {
    auto error = error_of(first.native(), where_);
    MAIA_TRY(last_of(limits, where_));
    return error;
  }
  for (;;) {
    char* piece = nullptr;
    const int length = PQgetCopyData(conn_, &piece, 1);
    if (length > 0) {
      const auto taken = sink({piece, static_cast<std::size_t>(length)});
      PQfreemem(piece);
      if (!taken.ok()) {
        cancel_and_drain();
        return taken;
      }
    } else if (length == 0) {
      MAIA_TRY(await(false, until, limits));
      if (PQconsumeInput(conn_) == 0) return error_of(nullptr, "receive");
    } else if (length == -1) {
      break;
    } else {
      return error_of(nullptr, "receive");
    }
  }
  MAIA_TRY(last_of(limits, where_));
  return {};
}

Status Connection::copy_in_start(const std::string& sql, const Limits& limits) {
  sqlstate_.clear();
  if (PQsendQuery(conn_, sql.c_str()) == 0) return error_of(nullptr, "send");
  Rows first(MAIA_TRY(next_result(deadline_of(limits), limits)));
  if (first.native() != nullptr && PQresultStatus(first.native()) == PGRES_COPY_IN) return {};
  auto error = error_of(first.native(), where_);
  MAIA_TRY(last_of(limits, where_));
  return error;
}

Status Connection::copy_in_put(std::string_view bytes, const Limits& limits) {
  // libpq copies what it cannot send at once; large pieces go in parts so that its buffer stays small.
  constexpr std::size_t kPart = 1 << 20;
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, kPart);
    const int state = PQputCopyData(conn_, part.data(), static_cast<int>(part.size()));
    if (state < 0) return error_of(nullptr, "send");
    MAIA_TRY(flush(limits));
    if (state > 0) bytes.remove_prefix(part.size());
  }
  return {};
}

Result<std::uint64_t> Connection::copy_in_finish(const Limits& limits) {
  while (true) {
    const int state = PQputCopyEnd(conn_, nullptr);
    if (state < 0) return error_of(nullptr, "send");
    MAIA_TRY(flush(limits));
    if (state > 0) break;
  }
  const auto rows = MAIA_TRY(last_of(limits, where_));
  return rows.affected();
}

void Connection::copy_in_abort(const std::string& reason) {
  if (PQputCopyEnd(conn_, reason.c_str()) < 0) unusable_ = true;
  // The server answers with the error that we asked for.
  const auto ended = last_of(Limits{std::chrono::milliseconds{10'000}, {}}, where_);
  static_cast<void>(ended);
}

Status Connection::start_copy_both(const std::string& sql, const Limits& limits) {
  sqlstate_.clear();
  if (PQsendQuery(conn_, sql.c_str()) == 0) return error_of(nullptr, "send");
  Rows first(MAIA_TRY(next_result(deadline_of(limits), limits)));
  if (first.native() != nullptr && PQresultStatus(first.native()) == PGRES_COPY_BOTH) return {};
  return error_of(first.native(), where_);
}

}  // namespace maia::postgres
