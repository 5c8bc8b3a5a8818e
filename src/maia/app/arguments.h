// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "maia/base/byte_size.h"

namespace maia::app {

// What was asked for, one struct for each command.

struct RunArguments {
  std::vector<std::string> files;
  bool until_caught_up = false;
  std::string listen;                    ///< HOST:PORT, "" for no HTTP
  std::string state;                     ///< directory, "" for the usual one
  std::optional<ByteSize> memory_limit;  ///< of the process; what the files say if not given
  bool json = false;                     ///< JSON log lines also on a terminal
};
struct SyncArguments {
  std::string source, destination;  ///< URIs
  std::vector<std::string> tables;
  std::string name;
  std::string mode;
  std::vector<std::string> key;
  bool save = false;
  std::string save_file;  ///< "" for standard output
  RunArguments run;       ///< its files are empty
};
struct InitArguments {
  std::string file = "maia.yaml";
  std::string source, destination;  ///< URIs
  bool force = false;
};
struct ValidateArguments {
  std::vector<std::string> files;
  bool json = false;
};
struct CheckArguments {
  std::vector<std::string> files;
  std::string state;
  bool json = false;
};
struct PlanArguments {
  std::vector<std::string> files;
  std::string state;
  bool json = false;
};
struct ApplyArguments {
  std::string file;      ///< "" with `version`
  std::string version;   ///< hash of a kept version, or its first digits
  std::string pipeline;  ///< whose version, if several have it
  bool yes = false;      ///< rows may be read again
  std::string state;
  bool json = false;
};
struct HistoryArguments {
  enum class Action : std::uint8_t { list, show };
  Action action = Action::list;
  std::string hash;      ///< of `show`, or its first digits
  std::string pipeline;  ///< "" for all
  std::string state;
  bool json = false;
};
struct PreviewArguments {
  std::string file;
  std::vector<std::string> tables;
  std::uint32_t rows = 10;
  std::string state;
  bool json = false;
};
struct TestArguments {
  std::vector<std::string> files;
  bool json = false;
};
struct DiscoverArguments {
  std::string source;  ///< a URI or a pipeline file
  std::string state;
  bool json = false;
};
struct StatusArguments {
  std::string pipeline;  ///< "" for all that run
  std::string state;
  bool json = false;
};
struct QueryArguments {
  enum class Format : std::uint8_t { table, json, csv };
  std::string sql;
  std::string pipeline;     ///< "" if only one runs
  std::string destination;  ///< "" if it has only one
  Format format = Format::table;
  std::uint64_t rows = 10'000;
  std::chrono::milliseconds timeout{30'000};
  std::string state;
};
struct DlqArguments {
  std::string action;  ///< list, show, edit, replay or purge
  std::vector<std::uint64_t> ids;
  std::string pipeline;  ///< "" if only one has dead letters
  std::string table, destination;
  std::vector<std::string> set;       ///< column=value
  std::vector<std::string> set_null;  ///< columns
  std::optional<std::chrono::microseconds> older_than;
  bool all = false;           ///< replay, purge: every letter
  bool every_status = false;  ///< list
  bool force = false;         ///< replay
  std::string state;
  bool json = false;
};
/// Which journal a command looks at: a directory, or the pipeline that keeps it.
struct JournalPlace {
  std::string pipeline;   ///< "" if the state directory has only one
  std::string directory;  ///< in place of a pipeline
  std::string state;
};
struct TailArguments {
  enum class Format : std::uint8_t { text, json, debezium };
  JournalPlace place;
  std::string from;  ///< time, position or #sequence; "" for the end, or for the begin with `until_now`
  std::vector<std::string> tables, keys, ops;
  bool until_now = false;
  Format format = Format::text;
};
struct JournalArguments {
  enum class Action : std::uint8_t { list, check, query };
  Action action = Action::list;
  std::string sql;
  JournalPlace place;
  QueryArguments::Format format = QueryArguments::Format::table;
  std::uint64_t rows = 10'000;
  bool json = false;
};
/// Which part of a running pipeline is meant; an empty name leaves its part open.
struct ControlPlace {
  std::string pipeline;     ///< "" if only one runs
  std::string destination;  ///< "" for every one
  std::string table;        ///< "" for the destination itself; "*" for each of its tables
};
struct PauseArguments {
  ControlPlace place;
  std::string state;
  bool json = false;
};
struct ResumeArguments {
  ControlPlace place;
  std::string state;
  bool json = false;
};
struct ResyncArguments {
  ControlPlace place;
  std::string rows;  ///< a condition on key columns; "" for all
  std::string state;
  bool json = false;
};
struct ReplayArguments {
  std::string from;                          ///< as parse_moment takes it
  std::string pipeline, destination, table;  ///< "" for the only one, or all
  std::string state;
};
struct RollbackArguments {
  std::string to;                            ///< as parse_moment takes it
  std::string pipeline, destination, table;  ///< "" for the only one, or all
  bool yes = false;
  bool dry_run = false;
  bool partial = false;
  std::string state;
  bool json = false;
};
struct DropArguments {
  std::vector<std::string> files;
  std::string destination;  ///< only this one; "" for the whole pipeline
  std::string state;
  bool json = false;
};
struct ConnectorsArguments {
  std::string name;  ///< "" for the list
  bool json = false;
};
struct SchemaArguments {
  bool markdown = false;
};
struct CompletionArguments {
  std::string shell;
};
struct VersionArguments {
  bool json = false;
};
/// Help was asked for: the text to show.
struct HelpArguments {
  std::string text;
};

using Invocation =
    std::variant<RunArguments, SyncArguments, InitArguments, ValidateArguments, CheckArguments, PlanArguments,
                 ApplyArguments, HistoryArguments, PreviewArguments, TestArguments, DiscoverArguments,
                 StatusArguments, QueryArguments, DlqArguments, TailArguments, JournalArguments,
                 PauseArguments, ResumeArguments, ResyncArguments, ReplayArguments, RollbackArguments,
                 DropArguments, ConnectorsArguments, SchemaArguments, CompletionArguments, VersionArguments,
                 HelpArguments>;

}  // namespace maia::app
