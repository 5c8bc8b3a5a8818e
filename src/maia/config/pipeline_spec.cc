// SPDX-License-Identifier: Apache-2.0
#include "maia/config/pipeline_spec.h"

#include <fmt/format.h>

#include <algorithm>

namespace maia::config {

template <>
inline constexpr Choice<WriteMode> choices_of<WriteMode>[] = {{"upsert", WriteMode::upsert},
                                                              {"append", WriteMode::append}};
template <>
inline constexpr Choice<DeleteRule> choices_of<DeleteRule>[] = {
    {"apply", DeleteRule::apply}, {"soft", DeleteRule::soft}, {"ignore", DeleteRule::ignore}};
template <>
inline constexpr Choice<DriftRule> choices_of<DriftRule>[] = {{"evolve", DriftRule::evolve},
                                                              {"try_evolve", DriftRule::try_evolve},
                                                              {"lenient", DriftRule::lenient},
                                                              {"ignore", DriftRule::ignore},
                                                              {"stop", DriftRule::stop}};
template <>
inline constexpr Choice<SnapshotMode> choices_of<SnapshotMode>[] = {{"initial", SnapshotMode::initial},
                                                                    {"never", SnapshotMode::never}};
template <>
inline constexpr Choice<ConfirmRule> choices_of<ConfirmRule>[] = {{"delivered", ConfirmRule::delivered},
                                                                  {"journaled", ConfirmRule::journaled}};
template <>
inline constexpr Choice<LostHistoryRule> choices_of<LostHistoryRule>[] = {
    {"stop", LostHistoryRule::stop}, {"resync", LostHistoryRule::resync}};
template <>
inline constexpr Choice<RowErrorRule> choices_of<RowErrorRule>[] = {
    {"dead_letter", RowErrorRule::dead_letter}, {"skip", RowErrorRule::skip}, {"stop", RowErrorRule::stop}};
template <>
inline constexpr Choice<LaterChanges> choices_of<LaterChanges>[] = {{"wait", LaterChanges::wait},
                                                                    {"go_on", LaterChanges::go_on}};

/// `key: id`, `key: [a, b]` or `key: {orders: [a, b]}`.
template <>
struct Kind<KeySetting> {
  static void describe(Setting& s) {
    Kind<std::vector<std::string>>::describe(s);
    Setting by_table{
        .name = s.name, .doc = s.doc, .kind = Setting::Kind::map, .element = Setting::Kind::list};
    s.alternatives.push_back(std::move(by_table));
  }
  static Result<KeySetting> read(const Node& n) {
    KeySetting key;
    if (n.mapping())
      key.by_table = MAIA_TRY((Kind<std::map<std::string, std::vector<std::string>>>::read(n)));
    else
      key.columns = MAIA_TRY(Kind<std::vector<std::string>>::read(n));
    return key;
  }
  static std::string write(const KeySetting&) { return ""; }
};

namespace {

Error refuse(std::string why, std::string hint) {
  return {Error::Code::invalid_config, Recovery::halt, std::move(why), std::move(hint)};
}

/// A pattern is "table" or "schema.table" with at most one star in each part; returns what is wrong with it.
std::string pattern_fault(std::string_view pattern) {
  const auto dot = pattern.find('.');
  for (const auto part : {pattern.substr(0, dot), dot == pattern.npos ? "*" : pattern.substr(dot + 1)}) {
    if (part.empty()) return "has an empty part";
    if (std::count(part.begin(), part.end(), '*') > 1) return "has more than one * in one part";
  }
  return "";
}

Status check_route(const RouteSetting& route) {
  for (const auto& pattern : {route.from, route.to}) {
    if (const auto fault = pattern_fault(pattern); !fault.empty())
      return refuse(fmt::format("the pattern '{}' of a route {}", pattern, fault),
                    "write schema.table or table, such as {from: public.*, to: shop.*}");
  }
  const auto stars = [](const std::string& text) { return std::count(text.begin(), text.end(), '*'); };
  if (stars(route.to) > stars(route.from))
    return refuse(fmt::format("the route to '{}' has a * that nothing in '{}' fills", route.to, route.from),
                  "each * of `to` stands for what the * of `from` matched");
  return {};
}

Status check_destination(const DestinationRules& d) {
  if (d.mode == WriteMode::append && d.deletes != DeleteRule::apply)
    return refuse("deletes: has no meaning with mode: append, which keeps every change",
                  "remove `deletes`, or write mode: upsert");
  return {};
}

Status check_transform(const TransformSettings& t) {
  if (t.script.has_value() != t.sql.has_value()) return {};
  return refuse(
      fmt::format("the transform '{}' has {}", t.name, t.script ? "both script and sql" : "no script"),
      "give it either `script:` with assignments or `sql:` with one SELECT over input");
}

Status check_example(const ExampleSettings& e) {
  for (const auto* rows : {&e.input, &e.output}) {
    for (const auto& row : *rows) {
      if (!row.mapping())
        return error_at(row.mark, fmt::format("a row of the test '{}' is no mapping", e.name),
                        "write each row as {column: value, column: value}");
    }
  }
  return {};
}

Spec<RouteSetting> route_spec() {
  return Spec<RouteSetting>()
      .add("from", &RouteSetting::from,
           "Tables of the source, `schema.table` or `table`, with `*` for any text.")
      .required()
      .example("public.*")
      .add("to", &RouteSetting::to, "Their name at the destination; `*` is what the `*` of `from` matched.")
      .required()
      .example("shop.*")
      .rule(check_route);
}

Spec<TransformSettings> transform_spec() {
  using T = TransformSettings;
  return Spec<T>()
      .add("name", &T::name, "Name in plans, logs and dead letters.")
      .required()
      .example("normalize_customer")
      .add("script", &T::script, "Assignments, one on each line, over `in` and `out`.")
      .example("out.email = lower(in.email)")
      .add("sql", &T::sql, "One SELECT over the table `input`.")
      .add("tables", &T::tables,
           "Tables that it applies to; without it, every table that has all columns that it reads.")
      .example("[customers]")
      .rule(check_transform);
}

Spec<SnapshotSettings> snapshot_spec() {
  using S = SnapshotSettings;
  return Spec<S>()
      .add("mode", &S::mode,
           "initial copies the rows that are there first; never begins with the next change.")
      .add("parallel", &S::parallel, "Connections that read at the same time.")
      .between(1, 64);
}

Spec<DeliverySettings> delivery_spec() {
  using D = DeliverySettings;
  return Spec<D>()
      .add("max_rows", &D::max_rows,
           "Most rows of one transaction at the destination; a source transaction is never cut.")
      .between(1, 100'000'000)
      .add("max_bytes", &D::max_bytes, "Most bytes of one transaction at the destination.")
      .between(ByteSize::kib(64), ByteSize::gib(4));
}

Spec<JournalSettings> journal_spec() {
  using J = JournalSettings;
  using std::chrono::hours;
  return Spec<J>()
      .add("retain_age", &J::retain_age,
           "How long changes stay in the journal once every destination has them, to be looked at and sent "
           "again.")
      .between(hours(0), hours(24 * 3650))
      .add("retain_bytes", &J::retain_bytes,
           "How much of them stays at most; the oldest go first, also before retain_age.")
      .add("max_bytes", &J::max_bytes,
           "Size of the whole journal at which reading from the source waits until a destination has got "
           "on; without it the journal may fill its disk.")
      .between(ByteSize::mib(16), ByteSize::tib(64))
      .example("50GiB")
      .add("drop_behind", &J::drop_behind,
           "Whether age, size and max_bytes count even for what a destination has not got yet. It then stops "
           "with lost_history, and must be resynced.")
      .add("confirm", &J::confirm,
           "When the source may discard a change: delivered, once every destination has it; journaled, once "
           "the journal's disk has it.")
      .add("retain_at_source", &J::retain_at_source,
           "When the source holds back more than this for us, it may discard what is journaled until it does "
           "not.")
      .between(ByteSize::mib(1), ByteSize::tib(64));
}

Spec<DeliveryOverride> delivery_override_spec() {
  using D = DeliveryOverride;
  return Spec<D>()
      .add("max_rows", &D::max_rows, "The same as the pipeline's, for this destination.")
      .between(1, 100'000'000)
      .add("max_bytes", &D::max_bytes, "The same as the pipeline's, for this destination.")
      .between(ByteSize::kib(64), ByteSize::gib(4));
}

Spec<SchemaSettings> schema_spec() {
  using S = SchemaSettings;
  return Spec<S>()
      .add(
          "on_drift", &S::on_drift,
          "What a changed table does to the destination: evolve follows, or stops the pipeline if it cannot; "
          "try_evolve follows where it can; lenient takes nothing away; ignore keeps the destination's "
          "shape; "
          "stop stops before the first row that needs the change.")
      .add("add_column", &S::add_column, "The same for added columns only.")
      .advanced()
      .add("drop_column", &S::drop_column, "The same for dropped columns only.")
      .advanced()
      .add("rename_column", &S::rename_column, "The same for renamed columns only.")
      .advanced()
      .add("change_type", &S::change_type, "The same for changed types only.")
      .advanced()
      .add("change_nullability", &S::change_nullability, "The same for NOT NULL set or dropped only.")
      .advanced()
      .add("change_default", &S::change_default, "The same for changed defaults only.")
      .advanced()
      .add("change_key", &S::change_key, "The same for changed keys only.")
      .advanced();
}

Spec<ErrorSettings> error_spec() {
  using E = ErrorSettings;
  return Spec<E>()
      .add("policy", &E::policy,
           "What a row does that a transform or the destination refuses: dead_letter keeps it with the "
           "reason, "
           "to be replayed; skip counts it and goes on without it; stop stops before it.")
      .add("transform", &E::transform, "The same for rows that a transform refuses only.")
      .advanced()
      .add("write", &E::write, "The same for rows that the destination refuses only.")
      .advanced()
      .add("later_changes", &E::later_changes,
           "What later changes of a row do that has a dead letter: wait puts them aside behind it; go_on "
           "delivers those that say all of the row.")
      .add("max_dead_letters", &E::max_dead_letters,
           "Most dead letters that may wait for a table and destination; one more stops it.")
      .between(0, 1'000'000);
}

Spec<ExampleSettings> example_spec() {
  using E = ExampleSettings;
  return Spec<E>()
      .add("name", &E::name, "What the test shows.")
      .required()
      .add("table", &E::table, "Table of the source that the rows belong to.")
      .required()
      .example("customers")
      .add("destination", &E::destination,
           "Destination whose own transforms the rows go through too; without it only the pipeline's.")
      .example("lake")
      .add("input", &E::input, "Rows as they come from the source, each a mapping of columns.")
      .required()
      .example("[{customer_id: 1, email: Ada@Example.com}]")
      .add("output", &E::output, "Rows as they must leave the last transform; `[]` for none.")
      .required()
      .example("[{id: 1, email: ada@example.com}]")
      .rule(check_example);
}

}  // namespace

const Spec<EndpointHead>& endpoint_spec() {
  static const auto spec =
      Spec<EndpointHead>()
          .add("type", &EndpointHead::type, "Name of the connector; `maia connectors` lists them.")
          .add("connection", &EndpointHead::connection,
               "Name of an entry of `connections:` whose settings are taken over; those given here win.");
  return spec;
}

const Spec<DestinationRules>& destination_spec() {
  using D = DestinationRules;
  static const auto spec =
      Spec<D>()
          .add("mode", &D::mode,
               "upsert keeps each table equal to its source, by key; append keeps every change as a row.")
          .add("key", &D::key,
               "Columns that identify a row, one name, a list, or a list for each table; the primary key if "
               "not given.")
          .example("id")
          .add("deletes", &D::deletes,
               "What a deleted row does: apply deletes it; soft marks it in _maia_deleted; ignore keeps it.")
          .group("routes", &D::routes, route_spec(),
                 "New names for tables; the first route that matches counts.")
          .add("allow_merge", &D::allow_merge, "Whether several source tables may meet in one table.")
          .group("transform", &D::transforms, transform_spec(),
                 "Steps for this destination only, after those of the pipeline.")
          .group("delivery", &D::delivery, delivery_override_spec(),
                 "Limits for this destination, in place of the pipeline's.")
          .rule(check_destination);
  return spec;
}

const Spec<PipelineBody>& pipeline_spec() {
  using P = PipelineBody;
  static const auto spec =
      Spec<P>()
          .add("name", &P::name, "Name of the pipeline; the file's name if not given.")
          .example("shop")
          .add("memory_limit", &P::memory_limit,
               "Most memory that the process may use for this pipeline and those beside it; the highest of "
               "them counts, and --memory-limit over all.")
          .between(ByteSize::mib(192), ByteSize::gib(1024))
          .group("transform", &P::transforms, transform_spec(),
                 "Steps between source and destinations, in order.")
          .group("snapshot", &P::snapshot, snapshot_spec(), "How the rows that are there are copied.")
          .group("delivery", &P::delivery, delivery_spec(), "How changes are put together for a destination.")
          .group("journal", &P::journal, journal_spec(),
                 "What stays between source and destinations, and for how long.")
          .add("on_lost_history", &P::on_lost_history,
               "What happens when the source can no longer give all changes since the checkpoint: stop ends "
               "the pipeline with the reason; resync compares all tables and copies what differs.")
          .group("schema", &P::schema, schema_spec(), "What happens when a table changes its shape.")
          .group("errors", &P::errors, error_spec(), "What happens to rows that fail.")
          .group("tests", &P::tests, example_spec(), "Examples that `maia test` runs.");
  return spec;
}

const std::vector<Setting>& endpoint_settings() {
  using K = Setting::Kind;
  static const std::vector<Setting> settings = {
      {.name = "source", .doc = "Where the rows come from.", .kind = K::any, .example = "{type: NAME, ...}"},
      {.name = "destination", .doc = "Where the rows go.", .kind = K::any, .example = "{type: NAME, ...}"},
      {.name = "destinations",
       .doc = "Several destinations by name, in place of `destination`.",
       .kind = K::map,
       .element = K::any},
  };
  return settings;
}

const std::vector<Setting>& file_settings() {
  using K = Setting::Kind;
  static const std::vector<Setting> settings = {
      {.name = "connections",
       .doc = "Settings by name that sources and destinations take over with `connection:`.",
       .kind = K::map,
       .element = K::any},
      {.name = "pipelines",
       .doc = "Several pipelines by name, in place of one at the top of the file.",
       .kind = K::map,
       .element = K::any},
  };
  return settings;
}

}  // namespace maia::config
