// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "maia/app/commands.h"
#include "maia/app/journal_place.h"
#include "maia/app/journal_query.h"
#include "maia/app/query_output.h"
#include "maia/app/text_table.h"
#include "maia/base/disk.h"
#include "maia/config/json.h"
#include "maia/journal/inspection.h"
#include "maia/types/time_text.h"

namespace maia::app {
namespace {

using journal::SegmentReport;

std::string time_text(WallMicros time, const journal::CommitSpan& span) {
  std::string text;
  if (span.transactions > 0) append_timestamp(text, time, Zone::utc);
  return text;
}

std::string sequences(const SegmentReport& report) {
  if (report.last == report.base) return "";
  return fmt::format("{} to {}", report.base.value + 1, report.last.value);
}

std::string state_of(const SegmentReport& report) {
  if (report.damage) return "damaged";
  if (report.complete) return "complete";
  if (report.unwritten_bytes == 0) return "being written";
  return fmt::format("being written; {} bytes at its end are not whole", report.unwritten_bytes);
}

config::Node node_of(const SegmentReport& report) {
  return config::Object()
      .set("segment", report.number)
      .set("path", report.path)
      .set("first_sequence", report.base.value + 1)
      .set("last_sequence", report.last.value)
      .set("first_commit", time_text(report.span.first, report.span))
      .set("last_commit", time_text(report.span.last, report.span))
      .set("transactions", report.span.transactions)
      .set("bytes", report.bytes)
      .set("state", state_of(report))
      .set("damage", report.damage ? report.damage->message : "")
      .node();
}

void show(const std::vector<SegmentReport>& reports, std::ostream& out) {
  std::vector<std::vector<std::string>> rows{
      {"segment", "sequences", "first commit", "last commit", "transactions", "bytes", "state"}};
  for (const auto& report : reports) {
    rows.push_back({std::to_string(report.number), sequences(report),
                    time_text(report.span.first, report.span), time_text(report.span.last, report.span),
                    std::to_string(report.span.transactions), std::to_string(report.bytes),
                    state_of(report)});
  }
  print_table(out, rows);
}

ExitCode tell(const std::vector<SegmentReport>& reports, const JournalArguments& arguments,
              Outside& outside) {
  const SegmentReport* damaged = nullptr;
  std::uint64_t bytes = 0;
  config::Node::Sequence nodes;
  for (const auto& report : reports) {
    if (report.damage && damaged == nullptr) damaged = &report;
    bytes += report.bytes;
    nodes.push_back(node_of(report));
  }
  if (arguments.json) {
    outside.out << config::to_json(config::Node{std::move(nodes), {}}, 2) << '\n';
  } else {
    show(reports, outside.out);
    for (const auto& report : reports) {
      if (report.damage) outside.out << report.damage->message << "\n  " << report.damage->hint << '\n';
    }
    if (arguments.action == JournalArguments::Action::check && damaged == nullptr) {
      outside.out << fmt::format("{} bytes in {} segments are what was written\n", bytes, reports.size());
    }
  }
  return damaged == nullptr ? ExitCode::done : ExitCode::check_failed;
}

}  // namespace

Result<ExitCode> execute(const JournalArguments& arguments, Outside& outside) {
  const auto directory = MAIA_TRY(journal_directory(arguments.place, outside));
  switch (arguments.action) {
    case JournalArguments::Action::list:
      return tell(MAIA_TRY(journal::inspect(system_disk(), directory, journal::Depth::ends)), arguments,
                  outside);
    case JournalArguments::Action::check:
      return tell(MAIA_TRY(journal::inspect(system_disk(), directory, journal::Depth::every_byte)), arguments,
                  outside);
    case JournalArguments::Action::query: break;
  }
  const auto reader = MAIA_TRY(JournalReader::open(system_disk(), directory));
  show(MAIA_TRY(query_journal(*reader, arguments.sql, arguments.rows)), arguments.format, arguments.rows,
       outside);
  return ExitCode::done;
}

}  // namespace maia::app
