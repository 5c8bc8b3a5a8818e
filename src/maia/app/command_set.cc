// SPDX-License-Identifier: Apache-2.0
#include "maia/app/command_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "maia/config/nearest.h"

namespace maia::app {
namespace {

std::string variable_of(const std::string& flag) {
  std::string variable = "MAIA_";
  for (const char c : flag)
    variable += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return variable;
}

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

}  // namespace

Error usage(std::string message, std::string hint) {
  return {Error::Code::invalid_config, Recovery::halt, std::move(message), std::move(hint)};
}

CLI::Option* Command::action(const std::string& name, const std::string& doc, std::string& value,
                             std::vector<std::string> choices) {
  actions_ = choices;
  return chosen(app_.add_option(name, value, doc), std::move(choices));
}

CLI::Option* Command::list(const std::string& name, std::vector<std::string>& value, const std::string& kind,
                           const std::string& doc) {
  return option(name, value, kind + ",...", doc)->delimiter(',');
}

void Command::state(std::string& value) {
  with_variable(
      app_.add_option("--state", value, "Directory for what is kept between runs.")->type_name("DIR"),
      "MAIA_STATE_DIR");
}

void Command::files(std::vector<std::string>& value) {
  argument("FILE", value, "Pipeline files.")->required();
}

void Command::format(QueryArguments::Format& value) {
  using Format = QueryArguments::Format;
  choice("--format", value, "FORMAT", "table, json or csv.",
         {std::pair("table", Format::table), std::pair("json", Format::json), std::pair("csv", Format::csv)});
}

void Command::json_format(QueryArguments::Format& value) {
  with_variable(app_.add_flag_callback(
      "--json", [&value] { value = QueryArguments::Format::json; }, "Answer in JSON."));
}

CLI::Option* Command::chosen(CLI::Option* option, std::vector<std::string> words) {
  option->check(CLI::IsMember(words));
  choices_[option] = std::move(words);
  return option;
}

CLI::Option* Command::with_variable(CLI::Option* option, std::string variable) {
  variables_[option] = variable.empty() ? variable_of(option->get_lnames().front()) : std::move(variable);
  return option;
}

Error Command::wrong_value(const std::string& flag, const std::string& text, const std::string& what,
                           const std::string& example) {
  return usage(fmt::format("{} is '{}' but must be {}", flag, text, what),
               fmt::format("write {} {}", flag, example));
}

void Command::read_variables() {
  for (auto* option : app_.get_options()) {
    if (const auto found = variables_.find(option); found != variables_.end()) option->envname(found->second);
  }
}

Result<Invocation> Command::finish() const {
  if (refusal_) return *refusal_;
  if (holds_) MAIA_TRY(holds_());
  return invocation();
}

CommandDoc Command::doc() const {
  CommandDoc doc{name(), app_.get_description(), "maia " + name(), {}, actions_, false};
  for (const auto* option : app_.get_options()) {
    if (option->get_positional()) {
      const auto word = option->get_name();
      const bool many = option->get_items_expected_max() > 1;
      doc.usage += fmt::format(" {}{}{}{}", option->get_required() ? "" : "[", word, many ? "..." : "",
                               option->get_required() ? "" : "]");
      doc.takes_files = doc.takes_files || word == "FILE" || word == "SOURCE";
    } else if (option->get_lnames().front() != "help") {
      const auto choices = choices_.find(option);
      doc.flags.push_back({"--" + option->get_lnames().front(), option->get_description(),
                           variables_.at(option), option->get_items_expected_max() > 0,
                           choices == choices_.end() ? std::vector<std::string>{} : choices->second});
    }
  }
  return doc;
}

CommandSet::CommandSet() {
  root_.description("Keeps a copy of your database somewhere else, exactly.");
  root_.name("maia");
  root_.require_subcommand(0, 1);
  root_.add_flag("--version", show_version_, "Print the version and end.");
  root_.footer(
      "Exit codes: 0 done, 1 failed while running, 2 usage or configuration, 3 a check did not pass,\n"
      "4 finished with dead letters. Every flag has its MAIA_* variable.");
}

Command* CommandSet::chosen() const {
  const auto apps = root_.get_subcommands();
  if (apps.empty()) return nullptr;
  const auto found = std::find_if(commands_.begin(), commands_.end(),
                                  [&](const auto& each) { return &each->app() == apps.front(); });
  return found == commands_.end() ? nullptr : found->get();
}

Error CommandSet::unknown_word() const {
  const auto words = root_.remaining(true);
  const auto word = words.empty() ? std::string() : words.front();
  const auto* command = chosen();
  const auto where = command ? "maia " + command->name() : std::string("maia");
  if (word.starts_with('-')) {
    const auto flag = word.substr(0, word.find('='));
    auto hint = config::did_you_mean(flag, flags_of(command ? command->app() : root_));
    return usage(fmt::format("unknown flag '{}'", flag),
                 hint.empty() ? fmt::format("`{} --help` lists the flags", where) : hint);
  }
  if (command)
    return usage(fmt::format("'{}' is one argument too many for {}", word, where),
                 fmt::format("see `{} --help`", where));
  std::vector<std::string> names;
  for (const auto& each : commands_) names.push_back(each->name());
  auto hint = config::did_you_mean(word, names);
  return usage(fmt::format("unknown command '{}'", word),
               hint.empty() ? "commands are " + config::listed(names) : hint);
}

Result<Invocation> CommandSet::parse(const std::vector<std::string>& words) {
  for (const auto& command : commands_) {
    if (!words.empty() && command->name() == words.front()) command->read_variables();
  }
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    root_.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return Invocation(HelpArguments{root_.help()});
  } catch (const CLI::ExtrasError&) {
    return unknown_word();
  } catch (const CLI::ParseError& error) {
    const auto* command = chosen();
    return usage(error.what(), fmt::format("see `maia {}--help`", command ? command->name() + " " : ""));
  }
  if (show_version_) return Invocation(VersionArguments{});
  const auto* command = chosen();
  return command ? command->finish() : Result<Invocation>(HelpArguments{root_.help()});
}

std::vector<CommandDoc> CommandSet::docs() const {
  std::vector<CommandDoc> all;
  for (const auto& command : commands_) all.push_back(command->doc());
  return all;
}

}  // namespace maia::app
