// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/postgres/snapshot_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace maia::postgres {
namespace {

/// A catch-up reads pages in pieces of this many chunks, so that several readers share them.
constexpr std::uint32_t kChunksPerCatchUp = 64;
/// How far back xmin can be compared, with room for what is written while the plan is carried out.
constexpr std::uint64_t kComparable = (std::uint64_t{1} << 31) - (std::uint64_t{1} << 28);

Error damaged() {
  return Error{Error::Code::corruption, Recovery::halt, "the saved progress of a snapshot is not readable",
               "copy the table again (`maia resync`)"};
}

/// Reads numbers and the characters between them; one wrong character makes the whole token wrong.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  template <class T>
  void number(T& value) {
    const auto [end, failure] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    ok_ = ok_ && failure == std::errc{};
    if (failure == std::errc{}) rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
  }
  void word(std::string_view expected) {
    ok_ = ok_ && rest_.starts_with(expected);
    if (ok_) rest_.remove_prefix(expected.size());
  }
  bool next_is(char c) const { return ok_ && rest_.starts_with(c); }
  bool at_digit() const { return ok_ && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9'; }
  bool at_end() const { return !ok_ || rest_.empty(); }
  bool complete() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

ChunkGeometry::Run run_of(const Relfile& relation, std::uint32_t first, std::uint32_t pages) {
  const auto count = std::max<std::uint32_t>(1, relation.pages / pages + (relation.pages % pages != 0));
  return {relation.oid, relation.filenode, first, count, pages};
}

PageRange range_of(const ChunkGeometry::Run& run, std::uint32_t index) {
  PageRange range{run.oid, run.filenode, index * run.pages, {}, {}};
  if (index + 1 < run.count) range.to = (index + 1) * run.pages;
  return range;
}

void add_chunks(TablePlan& plan, const ChunkGeometry::Run& run, const Relfile& relation,
                std::span<const std::uint32_t> done) {
  for (std::uint32_t i = 0; i < run.count; ++i) {
    if (std::binary_search(done.begin(), done.end(), run.first + i)) continue;
    plan.chunks.push_back({run.first + i, range_of(run, i).token(), relation.rows_estimate / run.count});
  }
}

/// Catch-up chunks over the runs of chunks that are done.
void add_catch_up(TablePlan& plan, ChunkGeometry& geometry, const ChunkGeometry::Run& run,
                  std::span<const std::uint32_t> done) {
  const auto is_done = [&](std::uint32_t i) {
    return i < run.count && std::binary_search(done.begin(), done.end(), run.first + i);
  };
  for (std::uint32_t i = 0; i < run.count;) {
    if (!is_done(i)) {
      ++i;
      continue;
    }
    auto last = i;
    while (is_done(last + 1) && last + 1 - i < kChunksPerCatchUp) ++last;
    PageRange range{run.oid, run.filenode, i * run.pages, range_of(run, last).to, geometry.xmin};
    plan.chunks.push_back({geometry.next++, range.token(), 0});
    i = last + 1;
  }
}

}  // namespace

std::string PageRange::token() const {
  auto text = fmt::format("{}/{}/{}-", oid, filenode, from);
  if (to) text += std::to_string(*to);
  if (since) text += "@" + std::to_string(*since);
  return text;
}

Result<PageRange> PageRange::parse(std::string_view token) {
  Scanner scan(token);
  PageRange range;
  scan.number(range.oid);
  scan.word("/");
  scan.number(range.filenode);
  scan.word("/");
  scan.number(range.from);
  scan.word("-");
  if (scan.at_digit()) scan.number(range.to.emplace());
  if (scan.next_is('@')) {
    scan.word("@");
    scan.number(range.since.emplace());
  }
  if (!scan.complete()) return damaged();
  return range;
}

std::string ChunkGeometry::token() const {
  auto text = fmt::format("1 {} {}", xmin, next);
  for (const auto& run : runs) {
    text += fmt::format(" {}/{}/{}+{}*{}", run.oid, run.filenode, run.first, run.count, run.pages);
  }
  return text;
}

Result<ChunkGeometry> ChunkGeometry::parse(std::string_view token) {
  Scanner scan(token);
  ChunkGeometry geometry;
  scan.word("1 ");
  scan.number(geometry.xmin);
  scan.word(" ");
  scan.number(geometry.next);
  while (!scan.at_end()) {
    Run run;
    scan.word(" ");
    scan.number(run.oid);
    scan.word("/");
    scan.number(run.filenode);
    scan.word("/");
    scan.number(run.first);
    scan.word("+");
    scan.number(run.count);
    scan.word("*");
    scan.number(run.pages);
    geometry.runs.push_back(run);
  }
  const auto sound = [&](const Run& run) {
    return run.count > 0 && run.pages > 0 &&
           std::uint64_t{run.count} * run.pages <= std::uint64_t{UINT32_MAX} + 1 + run.pages &&
           std::uint64_t{run.first} + run.count <= geometry.next;
  };
  if (!scan.complete() || !std::all_of(geometry.runs.begin(), geometry.runs.end(), sound)) return damaged();
  return geometry;
}

TablePlan plan_from_start(std::span<const Relfile> relations, const SnapshotBounds& snapshot,
                          std::uint32_t pages_per_chunk, std::uint32_t first_number) {
  TablePlan plan;
  ChunkGeometry geometry{snapshot.xmin, first_number, {}};
  for (const auto& relation : relations) {
    geometry.runs.push_back(run_of(relation, geometry.next, pages_per_chunk));
    geometry.next += geometry.runs.back().count;
    add_chunks(plan, geometry.runs.back(), relation, {});
  }
  plan.token = geometry.token();
  return plan;
}

Result<TablePlan> plan_rest(const TablePlanProgress& progress, bool has_key,
                            std::span<const Relfile> relations, const SnapshotBounds& snapshot,
                            std::uint32_t pages_per_chunk) {
  auto geometry = MAIA_TRY(ChunkGeometry::parse(progress.token));
  // Nothing was read, so the whole table comes from this snapshot and need not converge.
  if (progress.done.empty()) return plan_from_start(relations, snapshot, pages_per_chunk, geometry.next);
  const auto relation_of = [&](Oid oid) {
    return std::find_if(relations.begin(), relations.end(), [&](const auto& r) { return r.oid == oid; });
  };
  const auto whole_again = [&] {
    auto plan = plan_from_start(relations, snapshot, pages_per_chunk, geometry.next);
    plan.restarted = true;
    return plan;
  };
  if (!has_key || snapshot.xmax < geometry.xmin || snapshot.xmax - geometry.xmin > kComparable)
    return whole_again();
  for (const auto& run : geometry.runs) {
    const auto relation = relation_of(run.oid);
    if (relation == relations.end() || relation->filenode != run.filenode) return whole_again();
  }
  TablePlan plan;
  plan.converging = true;
  const auto known = geometry.runs;
  for (const auto& run : known) {
    add_chunks(plan, run, *relation_of(run.oid), progress.done);
    add_catch_up(plan, geometry, run, progress.done);
  }
  for (const auto& relation : relations) {
    const bool is_known =
        std::any_of(known.begin(), known.end(), [&](const auto& r) { return r.oid == relation.oid; });
    if (is_known) continue;
    geometry.runs.push_back(run_of(relation, geometry.next, pages_per_chunk));
    geometry.next += geometry.runs.back().count;
    add_chunks(plan, geometry.runs.back(), relation, {});
  }
  plan.token = geometry.token();
  return plan;
}

}  // namespace maia::postgres
