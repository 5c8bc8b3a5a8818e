// SPDX-License-Identifier: Apache-2.0
#include "maia/app/run_pipelines.h"

#include <malloc.h>

#include <atomic>
#include <optional>
#include <thread>

#include "maia/app/control.h"
#include "maia/app/control_apply.h"
#include "maia/app/live_table.h"
#include "maia/app/pipeline_service.h"
#include "maia/app/stop_on_signal.h"
#include "maia/base/log.h"
#include "maia/observe/families.h"
#include "maia/observe/process.h"
#include "maia/server/http_server.h"
#include "maia/transforms/make_transform.h"

namespace maia::app {
namespace {

constexpr std::chrono::milliseconds kFrame{200};
/// How often what lies free between what is used goes back to the system; the allocator keeps it otherwise,
/// and a stream of windows scatters it.
constexpr std::chrono::seconds kTrim{5};

struct Running {
  std::unique_ptr<PipelineService> service;
  LiveTable table;
  std::optional<Error> error;  // set before `ended`
  std::atomic<bool> ended{false};
  std::jthread thread;
};

void draw(LiveScreen& screen, std::vector<std::unique_ptr<Running>>& all,
          std::chrono::milliseconds since_start) {
  std::string picture;
  auto room = LiveScreen::room();
  room.lines /= static_cast<int>(all.size());
  for (auto& each : all) picture += each->table.render(each->service->status(), since_start, room, true);
  screen.draw(picture);
}

bool all_ended(const std::vector<std::unique_ptr<Running>>& all) {
  for (const auto& each : all) {
    if (!each->ended) return false;
  }
  return true;
}

void watch(std::vector<std::unique_ptr<Running>>& all, bool show) {
  LiveScreen screen;
  const auto start = std::chrono::steady_clock::now();
  auto trimmed = start;
  bool last = false;
  for (;;) {
    last = all_ended(all);
    const auto now = std::chrono::steady_clock::now();
    if (show) draw(screen, all, std::chrono::duration_cast<std::chrono::milliseconds>(now - start));
    if (last) break;
    if (now - trimmed >= kTrim) {
      malloc_trim(0);
      trimmed = now;
    }
    std::this_thread::sleep_for(show ? kFrame : kFrame / 10);
  }
  screen.finish();
}

ByteSize memory_limit_of(const std::vector<config::PipelineSettings>& pipelines,
                         const RunArguments& arguments) {
  ByteSize limit;
  for (const auto& pipeline : pipelines) limit = std::max(limit, pipeline.memory_limit);
  return arguments.memory_limit.value_or(limit);
}

/// Shares out the memory of the process, and keeps the allocator from hoarding: an arena for each thread,
/// with what was freed in it, would be many times the shares.
PipelineService::Memory share_memory_of(const std::vector<config::PipelineSettings>& pipelines,
                                        ByteSize limit) {
  std::size_t destinations = 0;
  for (const auto& pipeline : pipelines) destinations += pipeline.destinations.size();
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 8 << 20);
  transforms::limit_memory(engine::share_memory(limit.bytes, pipelines.size(), destinations).transforms);
  return [limit, count = pipelines.size(), destinations](std::size_t own) {
    return engine::share_memory(limit.bytes, count, std::max(destinations, own + count - 1));
  };
}

/// Opens the control socket of each pipeline, and the public address if there is one.
Result<std::unique_ptr<server::HttpServer>> serve(const std::vector<std::unique_ptr<Running>>& all,
                                                  const std::string& address, observe::Registry& registry,
                                                  const Outside& outside) {
  auto http = MAIA_TRY(server::HttpServer::start());
  std::vector<PipelineService*> services;
  for (const auto& each : all) {
    services.push_back(each->service.get());
    auto routes = control_routes(*each->service);
    add_apply_route(routes, *each->service, outside);
    const auto opened = http->listen_unix(control_socket(each->service->directory()), std::move(routes));
    // A state directory with too long a name must not keep the pipeline from running.
    if (!opened.ok()) {
      log::warning("maia status and maia query will not reach this pipeline",
                   {{"pipeline", each->service->name()}, {"error", opened.error().message}});
    }
  }
  if (!address.empty()) {
    const auto port = MAIA_TRY(http->listen_tcp(address, public_routes(services, registry)));
    log::info("listening", {{"address", address}, {"port", port}});
  }
  return http;
}

}  // namespace

Result<ExitCode> run_pipelines(const std::vector<config::PipelineSettings>& pipelines,
                               const RunArguments& arguments, Outside& outside) {
  std::stop_source stop;
  const StopOnSignal on_signal(stop);
  const bool show = outside.terminal && !arguments.json;
  // Lines of a log would tear the live table apart; what is wrong stands in the table.
  log::configure(show ? log::Level::error : log::Level::info,
                 arguments.json ? log::Format::json : log::usual_format());
  const auto limit = memory_limit_of(pipelines, arguments);
  const auto memory = share_memory_of(pipelines, limit);
  std::vector<std::unique_ptr<Running>> all;
  for (const auto& pipeline : pipelines) {
    auto running = std::make_unique<Running>();
    running->service =
        MAIA_TRY(in(pipeline.name, PipelineService::open(pipeline, arguments.state, outside, memory)));
    for (const auto& promise : running->service->promises()) {
      if (show)
        outside.out << pipeline.name << " -> " << promise << '\n';
      else
        log::info("delivery", {{"pipeline", pipeline.name}, {"promise", promise}});
    }
    all.push_back(std::move(running));
  }
  observe::Registry registry;
  observe::add_process_metrics(registry);
  registry.gauge(observe::kMemoryLimit).set(static_cast<double>(limit.bytes));
  const auto http = MAIA_TRY(serve(all, arguments.listen, registry, outside));
  for (auto& each : all) {
    each->thread = std::jthread([raw = each.get(), &arguments, token = stop.get_token()] {
      auto ran = raw->service->run(arguments.until_caught_up, token);
      if (!ran.ok() && ran.error().code != Error::Code::cancelled) raw->error = std::move(ran).error();
      raw->ended = true;
    });
  }
  watch(all, show);
  std::uint64_t dead = 0;
  for (auto& each : all) {
    each->thread.join();
    if (each->error) return std::move(*each->error).in(each->service->name());
    if (const auto count = each->service->dead_letters(); count.ok()) dead += *count;
  }
  return dead > 0 && arguments.until_caught_up ? ExitCode::dead_letters : ExitCode::done;
}

}  // namespace maia::app
