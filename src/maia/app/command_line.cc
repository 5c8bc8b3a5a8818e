// SPDX-License-Identifier: Apache-2.0
#include "maia/app/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <map>

#include "maia/config/nearest.h"
#include "maia/config/scalar.h"

namespace maia::app {
namespace {

const std::vector<std::string> kShells = {"bash", "zsh", "fish"};
const std::vector<std::string> kFormats = {"table", "json", "csv"};
const std::vector<std::string> kLetterActions = {"list", "show", "edit", "replay", "purge"};
const std::vector<std::string> kActions = {"list", "show"};
const std::vector<std::string> kModes = {"upsert", "append"};
const std::vector<std::string> kTailFormats = {"text", "json", "debezium"};
const std::vector<std::string> kOps = {"insert", "update", "delete", "read", "truncate", "schema"};
const std::vector<std::string> kJournalActions = {"list", "check", "query"};

/// The commands, bound to one struct of arguments each.
class Parser {
 public:
  Parser() {
    root_.description("Keeps a copy of your database somewhere else, exactly.");
    root_.name("maia");
    root_.require_subcommand(0, 1);
    root_.add_flag("--version", show_version_, "Print the version and end.");
    root_.footer(
        "Exit codes: 0 done, 1 failed while running, 2 usage or configuration, 3 a check did not pass,\n"
        "4 finished with dead letters. Every flag has its MAIA_* variable.");
    add_running();
    add_planning();
    add_operating();
    add_control();
    add_letters();
    add_going_back();
    add_history();
    add_asking();
  }

  Result<Invocation> parse(const std::vector<std::string>& words);
  std::vector<CommandDoc> docs() const;

 private:
  struct Command {
    CLI::App* app;
    std::function<Invocation()> invocation;
    std::vector<std::string> choices;
  };

  template <class Arguments>
  CLI::App* command(std::string name, std::string doc, const Arguments& arguments) {
    auto* app = root_.add_subcommand(name, doc);
    commands_.push_back({app, [&arguments] { return Invocation(arguments); }, {}});
    return app;
  }

  /// The flag's variable is read for the command that was given only: another may know the same name with
  /// other bounds.
  CLI::Option* with_variable(CLI::Option* option, std::string variable = {}) {
    if (variable.empty()) {
      variable = "MAIA_";
      for (char c : option->get_lnames().front())
        variable += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    variables_[option] = std::move(variable);
    return option;
  }
  template <class T>
  CLI::Option* option(CLI::App* app, const std::string& name, T& value, const std::string& doc) {
    return with_variable(app->add_option(name, value, doc));
  }
  void flag(CLI::App* app, const std::string& name, bool& value, const std::string& doc) {
    with_variable(app->add_flag(name, value, doc));
  }
  void json(CLI::App* app, bool& value) { flag(app, "--json", value, "Answer in JSON."); }
  void state(CLI::App* app, std::string& value) {
    with_variable(
        app->add_option("--state", value, "Directory for what is kept between runs.")->type_name("DIR"),
        "MAIA_STATE_DIR");
  }
  static void files(CLI::App* app, std::vector<std::string>& value) {
    app->add_option("FILE", value, "Pipeline files.")->required();
  }
  void how_to_run(CLI::App* app, RunArguments& run) {
    flag(app, "--until-caught-up", run.until_caught_up,
         "End once every row is copied and the source's position at the start is durable.");
    option(app, "--listen", run.listen, "Serve metrics and status over HTTP.")->type_name("HOST:PORT");
    option(app, "--memory-limit", memory_limit_, "Most memory that the process may use, such as 1GiB.")
        ->type_name("SIZE");
    state(app, run.state);
    flag(app, "--json", run.json, "Write JSON log lines also on a terminal.");
  }

  void add_running() {
    auto* run = command("run", "Run pipelines in the foreground until Ctrl-C.", run_);
    files(run, run_.files);
    how_to_run(run, run_);

    auto* sync = command("sync", "Copy one system into another and follow it, without a file.", sync_);
    sync->add_option("SOURCE", sync_.source, "URI to read from, such as postgres://user@host/database.")
        ->required();
    sync->add_option("DESTINATION", sync_.destination, "URI to write to, such as duckdb:shop.duckdb.")
        ->required();
    option(sync, "--tables", sync_.tables, "Tables to copy, separated by commas; `*` stands for any text.")
        ->delimiter(',')
        ->type_name("TABLE,...");
    option(sync, "--name", sync_.name, "Name of the pipeline.")->type_name("NAME");
    option(sync, "--mode", sync_.mode, "upsert keeps tables equal; append keeps every change.")
        ->type_name("MODE")
        ->check(CLI::IsMember(kModes));
    option(sync, "--key", sync_.key, "Columns that identify a row, in place of the primary key.")
        ->delimiter(',')
        ->type_name("COLUMN,...");
    save_ = option(
        sync, "--save", sync_.save_file,
        "Write the pipeline file that this stands for, instead of running it; without FILE, print it.");
    save_->expected(0, 1)->type_name("FILE");
    how_to_run(sync, sync_.run);

    auto* drop = command(
        "drop", "Remove what pipelines keep at both ends: slot, publication, checkpoint; never rows.", drop_);
    files(drop, drop_.files);
    option(drop, "--destination", drop_.destination,
           "Only what this destination keeps; it may have left the file since.")
        ->type_name("NAME");
    state(drop, drop_.state);
    json(drop, drop_.json);
  }

  void add_planning() {
    auto* init = command("init", "Write a pipeline file to begin with.", init_);
    init->add_option("FILE", init_.file, "Where to write it.")->capture_default_str();
    option(init, "--source", init_.source, "URI of the source.")->type_name("URI");
    option(init, "--destination", init_.destination, "URI of the destination.")->type_name("URI");
    flag(init, "--force", init_.force, "Replace a file that is there.");

    auto* validate = command("validate", "Check pipeline files without connecting anywhere.", validate_);
    files(validate, validate_.files);
    json(validate, validate_.json);

    auto* check =
        command("check", "Look at both systems and say what is missing, with the SQL that mends it.", check_);
    files(check, check_.files);
    state(check, check_.state);
    json(check, check_.json);

    auto* plan = command("plan", "Show how each table and column will be stored.", plan_);
    files(plan, plan_.files);
    state(plan, plan_.state);
    json(plan, plan_.json);

    auto* apply =
        command("apply", "Bring a pipeline to a changed file, while it runs or for its next run.", apply_);
    apply->add_option("FILE", apply_.file, "Pipeline file.");
    option(apply, "--version", apply_.version,
           "A version that is kept, in place of a file; see maia history.")
        ->type_name("HASH");
    option(apply, "--pipeline", apply_.pipeline, "Only this pipeline of the version.")->type_name("NAME");
    flag(apply, "--yes", apply_.yes, "Also where rows have to be read again.");
    state(apply, apply_.state);
    json(apply, apply_.json);

    auto* history =
        command("history", "List the versions of pipeline files that ran, or show one.", history_);
    history->add_option("ACTION", action_, "list or show.")->check(CLI::IsMember(kActions));
    history->add_option("HASH", history_.hash, "Version to show; its first digits are enough.");
    commands_.back().choices = kActions;
    option(history, "--pipeline", history_.pipeline, "Only of this pipeline.")->type_name("NAME");
    state(history, history_.state);
    json(history, history_.json);

    auto* preview = command("preview", "Show rows before and after the transforms.", preview_);
    preview->add_option("FILE", preview_.file, "Pipeline file.")->required();
    option(preview, "--tables", preview_.tables, "Only these tables.")
        ->delimiter(',')
        ->type_name("TABLE,...");
    option(preview, "--rows", preview_.rows, "Rows of each table.")
        ->capture_default_str()
        ->check(CLI::Range(1, 10'000));
    state(preview, preview_.state);
    json(preview, preview_.json);

    auto* test = command("test", "Run the examples that pipeline files carry under `tests:`.", test_);
    files(test, test_.files);
    json(test, test_.json);

    auto* discover = command("discover", "List the tables of a source.", discover_);
    discover->add_option("SOURCE", discover_.source, "URI or pipeline file.")->required();
    state(discover, discover_.state);
    json(discover, discover_.json);
  }

  void add_operating() {
    auto* status = command("status", "Show what running pipelines do.", status_);
    status->add_option("PIPELINE", status_.pipeline, "Only this one.");
    state(status, status_.state);
    json(status, status_.json);

    auto* query = command("query", "Run read-only SQL at the destination of a running pipeline.", query_);
    query->add_option("SQL", query_.sql, "One statement.")->required();
    option(query, "--pipeline", query_.pipeline, "Which pipeline, if several run.")->type_name("NAME");
    option(query, "--destination", query_.destination, "Which destination, if it has several.")
        ->type_name("NAME");
    option(query, "--format", format_, "table, json or csv.")
        ->type_name("FORMAT")
        ->check(CLI::IsMember(kFormats));
    flag(query, "--json", query_json_, "Answer in JSON.");
    option(query, "--rows", query_.rows, "Most rows to answer with.")->capture_default_str();
    option(query, "--timeout", timeout_, "Longest time that it may take.")
        ->type_name("DURATION")
        ->capture_default_str();
    state(query, query_.state);
  }

  void place(CLI::App* app, ControlPlace& place) {
    option(app, "--pipeline", place.pipeline, "Which pipeline, if several run.")->type_name("NAME");
    option(app, "--destination", place.destination, "Only this destination.")->type_name("NAME");
  }

  void add_control() {
    auto* pause = command(
        "pause", "Let a pipeline's destinations, one of them, or a table rest; the journal keeps what comes.",
        pause_);
    place(pause, pause_.place);
    option(pause, "--table", pause_.place.table, "Only this table of the source; '*' is each of them.")
        ->type_name("TABLE");
    state(pause, pause_.state);
    json(pause, pause_.json);

    auto* resume =
        command("resume", "Take up again what is paused, quarantined or failed; nothing is lost.", resume_);
    place(resume, resume_.place);
    option(resume, "--table", resume_.place.table, "Only this table of the source; '*' is each of them.")
        ->type_name("TABLE");
    state(resume, resume_.state);
    json(resume, resume_.json);

    auto* resync =
        command("resync", "Read rows of a table again and mend what differs at the destination.", resync_);
    resync->add_option("TABLE", resync_.place.table, "Table of the source; '*' is each of them.")->required();
    option(resync, "--rows", resync_.rows,
           "Only these: comparisons of key columns, such as \"id >= 10 and id < 20\".")
        ->type_name("CONDITION");
    place(resync, resync_.place);
    state(resync, resync_.state);
    json(resync, resync_.json);
  }

  void add_letters() {
    auto* dlq = command("dlq", "Look at dead letters, mend them, send them again or give them up.", dlq_);
    dlq->add_option("ACTION", dlq_.action, "list, show, edit, replay or purge.")
        ->required()
        ->check(CLI::IsMember(kLetterActions));
    commands_.back().choices = kLetterActions;
    dlq->add_option("ID", dlq_.ids, "Numbers of dead letters, as list shows them.");
    flag(dlq, "--all", dlq_.all, "replay, purge: every dead letter.");
    option(dlq, "--table", dlq_.table, "Only those of this table of the source.")->type_name("TABLE");
    option(dlq, "--destination", dlq_.destination, "Only those of this destination.")->type_name("NAME");
    option(dlq, "--older-than", older_than_, "Only those that first failed this long ago, such as 7d.")
        ->type_name("DURATION");
    option(dlq, "--set", dlq_.set, "edit: a column's new value, as text.")
        ->type_name("COLUMN=VALUE")
        ->allow_extra_args(false);
    option(dlq, "--set-null", dlq_.set_null, "edit: a column that becomes NULL.")
        ->type_name("COLUMN")
        ->allow_extra_args(false);
    flag(dlq, "--every-status", dlq_.every_status, "list: also those that were replayed or purged.");
    flag(dlq, "--force", dlq_.force, "replay: also over later changes of the same row.");
    option(dlq, "--pipeline", dlq_.pipeline, "Which pipeline, if there are several.")->type_name("NAME");
    state(dlq, dlq_.state);
    json(dlq, dlq_.json);
  }

  template <class Arguments>
  void where_to(CLI::App* app, Arguments& arguments) {
    option(app, "--table", arguments.table, "Only this table of the source.")->type_name("TABLE");
    option(app, "--destination", arguments.destination, "Only this destination.")->type_name("NAME");
    option(app, "--pipeline", arguments.pipeline, "Which pipeline, if several run.")->type_name("NAME");
    state(app, arguments.state);
  }
  void add_going_back() {
    auto* replay = command("replay", "Send retained changes again; the rows come out as they were.", replay_);
    option(replay, "--from", replay_.from, "A time, an age such as 10m, or a position of the source.")
        ->type_name("MOMENT")
        ->required();
    where_to(replay, replay_);

    auto* rollback =
        command("rollback", "Bring tables at a destination back to how the source was earlier.", rollback_);
    option(rollback, "--to", rollback_.to, "A time, an age such as 10m, or a position of the source.")
        ->type_name("MOMENT")
        ->required();
    flag(rollback, "--dry-run", rollback_.dry_run, "Only show what it would take.");
    flag(rollback, "--yes", rollback_.yes, "Do it without asking.");
    flag(rollback, "--partial", rollback_.partial, "Also if not everything can be taken back.");
    where_to(rollback, rollback_);
    json(rollback, rollback_.json);
  }

  void journal_place(CLI::App* app, JournalPlace& place) {
    option(app, "--journal", place.directory, "Directory of the journal, in place of a pipeline.")
        ->type_name("DIR");
    state(app, place.state);
  }

  void add_history() {
    auto* tail = command("tail", "Show changes from a pipeline's journal, live or from a time on.", tail_);
    tail->add_option("PIPELINE", tail_.place.pipeline, "Which pipeline, if several have a journal.");
    option(
        tail, "--from", tail_.from,
        "Where to begin: a time with its offset, a position, or a sequence as #1234; the end if not given.");
    option(tail, "--table", tail_.tables, "Only these tables.")
        ->delimiter(',')
        ->type_name("TABLE,...")
        ->allow_extra_args(false);
    option(tail, "--key", tail_.keys, "Only the row with this key; of several columns, separated by commas.")
        ->type_name("KEY")
        ->allow_extra_args(false);
    option(tail, "--op", tail_.ops, "Only these: insert, update, delete, read, truncate, schema.")
        ->delimiter(',')
        ->type_name("OP,...")
        ->allow_extra_args(false)
        ->check(CLI::IsMember(kOps));
    flag(tail, "--until-now", tail_.until_now, "End at what is there now; from the oldest without --from.");
    option(tail, "--format", tail_format_, "text, json or debezium.")
        ->type_name("FORMAT")
        ->check(CLI::IsMember(kTailFormats));
    journal_place(tail, tail_.place);
    tail_app_ = tail;

    auto* journal = command("journal", "List, check or query the changes that a journal retains.", journal_);
    journal->add_option("ACTION", journal_action_, "list, check or query.")
        ->required()
        ->check(CLI::IsMember(kJournalActions));
    commands_.back().choices = kJournalActions;
    journal->add_option("SQL", journal_.sql, "For query: one SELECT over the table changes.");
    option(journal, "--pipeline", journal_.place.pipeline, "Which pipeline, if several have a journal.")
        ->type_name("NAME");
    option(journal, "--format", format_, "table, json or csv.")
        ->type_name("FORMAT")
        ->check(CLI::IsMember(kFormats));
    json(journal, journal_.json);
    option(journal, "--rows", journal_.rows, "Most rows to answer with.")->capture_default_str();
    journal_place(journal, journal_.place);
  }

  void add_asking() {
    auto* connectors = command("connectors", "List the connectors, or the settings of one.", connectors_);
    connectors->add_option("NAME", connectors_.name, "Connector.");
    json(connectors, connectors_.json);

    auto* schema = command("schema", "Print the JSON Schema of pipeline files, for editors.", schema_);
    flag(schema, "--markdown", schema_.markdown, "Print the reference of all settings in Markdown instead.");

    auto* completion = command("completion", "Print a completion script for a shell.", completion_);
    completion->add_option("SHELL", completion_.shell, "bash, zsh or fish.")
        ->required()
        ->check(CLI::IsMember(kShells));
    commands_.back().choices = kShells;

    auto* version = command("version", "Print the version.", version_);
    json(version, version_.json);
  }

  Result<Invocation> finish();
  Error unknown_word() const;

  CLI::App root_;
  std::vector<Command> commands_;
  std::map<const CLI::Option*, std::string> variables_;
  bool show_version_ = false;
  CLI::Option* save_ = nullptr;
  std::string timeout_ = "30s";
  std::string memory_limit_;
  std::string format_ = "table";
  const CLI::App* tail_app_ = nullptr;
  std::string tail_format_ = "text";
  std::string journal_action_;
  bool query_json_ = false;
  RunArguments run_;
  SyncArguments sync_;
  InitArguments init_;
  ValidateArguments validate_;
  CheckArguments check_;
  PlanArguments plan_;
  ApplyArguments apply_;
  HistoryArguments history_;
  std::string action_ = "list";
  PreviewArguments preview_;
  TestArguments test_;
  DiscoverArguments discover_;
  StatusArguments status_;
  QueryArguments query_;
  DlqArguments dlq_;
  PauseArguments pause_;
  ResumeArguments resume_;
  ResyncArguments resync_;
  ReplayArguments replay_;
  RollbackArguments rollback_;
  std::string older_than_;
  TailArguments tail_;
  JournalArguments journal_;
  DropArguments drop_;
  ConnectorsArguments connectors_;
  SchemaArguments schema_;
  CompletionArguments completion_;
  VersionArguments version_;
};

Error usage(std::string message, std::string hint) {
  return {Error::Code::invalid_config, Recovery::halt, std::move(message), std::move(hint)};
}

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

Error Parser::unknown_word() const {
  const auto words = root_.remaining(true);
  const auto word = words.empty() ? std::string() : words.front();
  const auto chosen = root_.get_subcommands();
  const auto& app = chosen.empty() ? root_ : *chosen.front();
  const std::string where = chosen.empty() ? "maia" : "maia " + app.get_name();
  if (word.starts_with('-')) {
    const auto flag = word.substr(0, word.find('='));
    auto hint = config::did_you_mean(flag, flags_of(app));
    return usage(fmt::format("unknown flag '{}'", flag),
                 hint.empty() ? fmt::format("`{} --help` lists the flags", where) : hint);
  }
  if (!chosen.empty())
    return usage(fmt::format("'{}' is one argument too many for {}", word, where),
                 fmt::format("see `{} --help`", where));
  std::vector<std::string> names;
  for (const auto& c : commands_) names.push_back(c.app->get_name());
  auto hint = config::did_you_mean(word, names);
  return usage(fmt::format("unknown command '{}'", word),
               hint.empty() ? "commands are " + config::listed(names) : hint);
}

Result<Invocation> Parser::finish() {
  if (show_version_) return Invocation(VersionArguments{});
  const auto chosen = root_.get_subcommands();
  if (chosen.empty()) return Invocation(HelpArguments{root_.help()});
  const auto timeout = config::parse_duration(timeout_);
  if (!timeout || timeout->count() == 0)
    return usage(fmt::format("--timeout is '{}' but must be a duration", timeout_), "write --timeout 30s");
  query_.timeout = std::chrono::ceil<std::chrono::milliseconds>(*timeout);
  if (!memory_limit_.empty()) {
    run_.memory_limit = sync_.run.memory_limit = config::parse_byte_size(memory_limit_);
    if (!run_.memory_limit || *run_.memory_limit < ByteSize::mib(192))
      return usage(fmt::format("--memory-limit is '{}' but must be a size of 192MiB or more", memory_limit_),
                   "write --memory-limit 1GiB");
  }
  if (format_ == "json" || query_json_) query_.format = QueryArguments::Format::json;
  if (format_ == "csv") query_.format = QueryArguments::Format::csv;
  if (!older_than_.empty()) {
    dlq_.older_than = config::parse_duration(older_than_);
    if (!dlq_.older_than)
      return usage(fmt::format("--older-than is '{}' but must be a duration", older_than_),
                   "write --older-than 7d");
  }
  if (tail_format_ == "json") tail_.format = TailArguments::Format::json;
  if (tail_format_ == "debezium") tail_.format = TailArguments::Format::debezium;
  if (journal_action_ == "check") journal_.action = JournalArguments::Action::check;
  if (journal_action_ == "query") journal_.action = JournalArguments::Action::query;
  journal_.format = journal_.json ? QueryArguments::Format::json : query_.format;
  if ((journal_.action == JournalArguments::Action::query) == journal_.sql.empty() &&
      !journal_action_.empty())
    return usage(journal_.sql.empty() ? "query needs a statement" : "only query takes a statement",
                 "such as: maia journal query \"select * from changes limit 10\"");
  if (chosen.front()->get_name() == "apply" && apply_.file.empty() == apply_.version.empty())
    return usage("maia apply takes either a FILE or --version", "maia history lists the versions");
  history_.action = action_ == "show" ? HistoryArguments::Action::show : HistoryArguments::Action::list;
  if (history_.action == HistoryArguments::Action::show && history_.hash.empty())
    return usage("maia history show needs the hash of a version", "maia history lists them");
  sync_.save = save_->count() > 0;
  for (const auto& c : commands_) {
    if (c.app == chosen.front()) return c.invocation();
  }
  return Error{Error::Code::internal, Recovery::halt,
               "a command without arguments: " + chosen.front()->get_name(), ""};
}

Result<Invocation> Parser::parse(const std::vector<std::string>& words) {
  for (const auto& command : commands_) {
    if (words.empty() || command.app->get_name() != words.front()) continue;
    for (auto* option : command.app->get_options()) {
      if (const auto found = variables_.find(option); found != variables_.end())
        option->envname(found->second);
    }
  }
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());
    root_.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return Invocation(HelpArguments{root_.help()});
  } catch (const CLI::ExtrasError&) {
    return unknown_word();
  } catch (const CLI::ParseError& error) {
    const auto chosen = root_.get_subcommands();
    return usage(error.what(),
                 fmt::format("see `maia {}--help`", chosen.empty() ? "" : chosen.front()->get_name() + " "));
  }
  return finish();
}

std::vector<CommandDoc> Parser::docs() const {
  std::vector<CommandDoc> out;
  for (const auto& command : commands_) {
    CommandDoc doc{command.app->get_name(),
                   command.app->get_description(),
                   "maia " + command.app->get_name(),
                   {},
                   command.choices,
                   false};
    for (const auto* option : command.app->get_options()) {
      if (option->get_positional()) {
        const auto name = option->get_name();
        const bool many = option->get_items_expected_max() > 1;
        doc.usage += fmt::format(" {}{}{}{}", option->get_required() ? "" : "[", name, many ? "..." : "",
                                 option->get_required() ? "" : "]");
        doc.takes_files = doc.takes_files || name == "FILE" || name == "SOURCE";
      } else if (option->get_lnames().front() != "help") {
        std::vector<std::string> choices;
        if (option->get_lnames().front() == "mode") choices = kModes;
        if (option->get_lnames().front() == "format")
          choices = command.app == tail_app_ ? kTailFormats : kFormats;
        doc.flags.push_back({"--" + option->get_lnames().front(), option->get_description(),
                             variables_.at(option), option->get_items_expected_max() > 0, choices});
      }
    }
    out.push_back(std::move(doc));
  }
  return out;
}

}  // namespace

Result<Invocation> parse_command_line(const std::vector<std::string>& words) { return Parser().parse(words); }

std::vector<CommandDoc> command_docs() { return Parser().docs(); }

}  // namespace maia::app
