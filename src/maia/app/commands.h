// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "maia/app/arguments.h"
#include "maia/app/outside.h"
#include "maia/base/result.h"

namespace maia::app {

// One function for each command, each in app/command_<name>.cc. What a command finds out goes to `out`; an
// error is shown by the caller.
Result<ExitCode> execute(const RunArguments& arguments, Outside& outside);
Result<ExitCode> execute(const SyncArguments& arguments, Outside& outside);
Result<ExitCode> execute(const InitArguments& arguments, Outside& outside);
Result<ExitCode> execute(const ValidateArguments& arguments, Outside& outside);
Result<ExitCode> execute(const CheckArguments& arguments, Outside& outside);
Result<ExitCode> execute(const PlanArguments& arguments, Outside& outside);
Result<ExitCode> execute(const ApplyArguments& arguments, Outside& outside);
Result<ExitCode> execute(const HistoryArguments& arguments, Outside& outside);
Result<ExitCode> execute(const PreviewArguments& arguments, Outside& outside);
Result<ExitCode> execute(const TestArguments& arguments, Outside& outside);
Result<ExitCode> execute(const DiscoverArguments& arguments, Outside& outside);
Result<ExitCode> execute(const StatusArguments& arguments, Outside& outside);
Result<ExitCode> execute(const QueryArguments& arguments, Outside& outside);
Result<ExitCode> execute(const DlqArguments& arguments, Outside& outside);
Result<ExitCode> execute(const TailArguments& arguments, Outside& outside);
Result<ExitCode> execute(const JournalArguments& arguments, Outside& outside);
Result<ExitCode> execute(const PauseArguments& arguments, Outside& outside);
Result<ExitCode> execute(const ResumeArguments& arguments, Outside& outside);
Result<ExitCode> execute(const ResyncArguments& arguments, Outside& outside);
Result<ExitCode> execute(const ReplayArguments& arguments, Outside& outside);
Result<ExitCode> execute(const RollbackArguments& arguments, Outside& outside);
Result<ExitCode> execute(const DropArguments& arguments, Outside& outside);
Result<ExitCode> execute(const ConnectorsArguments& arguments, Outside& outside);
Result<ExitCode> execute(const SchemaArguments& arguments, Outside& outside);
Result<ExitCode> execute(const CompletionArguments& arguments, Outside& outside);
Result<ExitCode> execute(const VersionArguments& arguments, Outside& outside);
Result<ExitCode> execute(const HelpArguments& arguments, Outside& outside);

/// The whole program: parses, executes, shows what went wrong. `words` are those after the program's name.
ExitCode run_program(const std::vector<std::string>& words, Outside& outside);

}  // namespace maia::app
