// SPDX-License-Identifier: Apache-2.0
#include "maia/app/commands.h"
#include "maia/app/file_history.h"
#include "maia/app/text_table.h"
#include "maia/config/json.h"
#include "maia/types/time_text.h"

namespace maia::app {
namespace {

using config::Node;
using config::Object;

std::string moment(WallMicros at) {
  constexpr WallMicros kSecond = 1'000'000;
  std::string text;
  append_iso_timestamp(text, at / kSecond * kSecond, Zone::utc);
  return text;
}

Node json_of(const KeptVersion& kept, bool with_text) {
  const auto& version = kept.version;
  auto object = Object()
                    .set("pipeline", kept.pipeline)
                    .set("hash", version.hash)
                    .set("at", moment(version.at))
                    .set("user", version.user)
                    .set("how", version.how)
                    .set("changed", version.changed)
                    .set("path", version.path);
  if (!with_text) return std::move(object).node();
  return std::move(object).set("text", version.text).node();
}

ExitCode show(const KeptVersion& kept, bool json, std::ostream& out) {
  if (json)
    out << to_json(json_of(kept, true), 2) << '\n';
  else
    out << kept.version.text;
  return ExitCode::done;
}

}  // namespace

Result<ExitCode> execute(const HistoryArguments& arguments, Outside& outside) {
  if (arguments.action == HistoryArguments::Action::show) {
    return show(MAIA_TRY(kept_version(arguments.hash, arguments.pipeline, arguments.state, outside)),
                arguments.json, outside.out);
  }
  std::vector<std::vector<std::string>> rows{{"pipeline", "version", "at", "user", "how", "changed"}};
  Node::Sequence all;
  for (const auto& kept : MAIA_TRY(kept_versions(arguments.pipeline, arguments.state, outside))) {
    const auto& version = kept.version;
    rows.push_back({kept.pipeline, short_hash(version.hash), moment(version.at), version.user, version.how,
                    version.changed});
    all.push_back(json_of(kept, false));
  }
  if (arguments.json)
    outside.out << to_json(Node{std::move(all), {}}, 2) << '\n';
  else if (rows.size() == 1)
    outside.out << "nothing has run yet\n";
  else
    print_table(outside.out, rows);
  return ExitCode::done;
}

}  // namespace maia::app
