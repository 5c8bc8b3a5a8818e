// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/stream.h"

namespace maia::mysql {

using std::chrono::milliseconds;

Result<std::map<std::uint32_t, std::string>> read_collations(Connection& connection) {
  const auto rows = MAIA_TRY(connection.query("SHOW COLLATION"));
  std::map<std::uint32_t, std::string> charsets;
  for (std::size_t r = 0; r < rows.size(); ++r)
    charsets.emplace(static_cast<std::uint32_t>(rows.integer(r, 2)), rows.str(r, 1));
  return charsets;
}

Result<std::unique_ptr<Stream>> LogStream::open(StreamTerms terms) {
  std::unique_ptr<LogStream> stream(new LogStream);
  stream->catalogue_ = MAIA_TRY(Connection::open(terms.connect));
  terms.tables.collations = MAIA_TRY(read_collations(*stream->catalogue_));
  stream->transport_ = MAIA_TRY(BinlogTransport::open(terms.connect, terms.from));
  stream->tables_ = std::make_unique<LogTables>(*stream->catalogue_, std::move(terms.tables));
  stream->assembler_ =
      std::make_unique<Assembler>(*stream->tables_, std::move(terms.from), Assembler::Limits{});
  return std::unique_ptr<Stream>(std::move(stream));
}

Result<std::optional<StreamEvent>> LogStream::next(milliseconds wait, std::stop_token stop) {
  const auto until = std::chrono::steady_clock::now() + wait;
  for (;;) {
    if (assembler_->has_event()) return std::optional(assembler_->pop());
    auto event = MAIA_TRY(transport_->next(milliseconds{0}, stop));
    if (!event) {
      assembler_->flush();
      if (assembler_->has_event()) continue;
      const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
      if (left <= milliseconds{0} || stop.stop_requested()) return std::optional<StreamEvent>();
      event = MAIA_TRY(transport_->next(left, stop));
      if (!event) continue;
    }
    auto taken = take(*event);
    if (taken.ok()) continue;
    // An event is taken from the session once; after an error only a new stream can have it again.
    auto error = std::move(taken).error();
    if (error.recovery == Recovery::retry) error.recovery = Recovery::reconnect;
    return error;
  }
}

Status LogStream::take(ByteView bytes) {
  const auto event = MAIA_TRY(parser_.parse(bytes));
  const auto* payload = std::get_if<Payload>(&event.body);
  if (payload == nullptr) return assembler_->take(event);
  ByteView events = payload->events;
  while (!events.empty()) {
    const auto inner = MAIA_TRY(parser_.parse_from_payload(events));
    MAIA_TRY(assembler_->take(inner));
  }
  return {};
}

}  // namespace maia::mysql
