// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/kafka/log_history.h"

#include <fmt/format.h>

#include "maia/types/time_text.h"

namespace maia::kafka {
namespace {

Error lost(std::string message, std::string_view reason) {
  return Error{Error::Code::lost_history, Recovery::halt, std::move(message),
               "to begin anew: maia drop, empty the tables, then maia run; or take the topic out of `topics`",
               reason};
}

Status check_same(const LogPlace& place, const SourceConfig& config,
                  const std::map<std::string, Cluster::Topic>& now) {
  for (const auto& [name, topic] : place.topics) {
    if (!config.selects(name)) continue;
    const auto found = now.find(name);
    if (found == now.end())
      return lost(fmt::format("the topic {}, which was read, does not exist any more", name),
                  "topic_deleted");
    if (found->second.id != topic.id || found->second.partitions < std::ssize(topic.offsets)) {
      return lost(fmt::format("the topic {} was deleted and made again since it was read", name),
                  "topic_recreated");
    }
  }
  return {};
}

Status check_cluster(Cluster& cluster, const LogPlace& place) {
  const auto id = MAIA_TRY(cluster.id());
  if (id == place.cluster) return {};
  auto error =
      lost(fmt::format("the brokers are of the cluster {}, but what was read is of {}", id, place.cluster),
           "other_server");
  error.hint = "correct `brokers`; to begin anew with this cluster: maia drop, then maia run";
  return error;
}

/// Of the place's topics that are selected, those that are there.
std::map<std::string, Cluster::Topic> in_place(const LogPlace& place,
                                               const std::map<std::string, Cluster::Topic>& now) {
  std::map<std::string, Cluster::Topic> out;
  for (const auto& [name, topic] : now) {
    if (place.topics.contains(name)) out.emplace(name, topic);
  }
  return out;
}

}  // namespace

Result<std::map<std::string, Cluster::Topic>> selected_topics(Cluster& cluster, const SourceConfig& config) {
  auto names = MAIA_TRY(cluster.topics());
  std::erase_if(names, [&](const std::string& name) { return !config.selects(name); });
  return cluster.describe(names);
}

Result<LogPlace> place_to_start(Cluster& cluster, const SourceConfig& config) {
  LogPlace place;
  place.cluster = MAIA_TRY(cluster.id());
  const auto topics = MAIA_TRY(selected_topics(cluster, config));
  auto at = Cluster::kFirst;
  if (config.start == "latest") at = Cluster::kEnd;
  if (const auto moment = parse_timestamp(config.start, Zone::utc))
    at = std::max<std::int64_t>(0, *moment / 1000);
  const auto offsets = MAIA_TRY(cluster.offsets(topics, at));
  const auto ends = MAIA_TRY(cluster.offsets(topics, Cluster::kEnd));
  for (const auto& [name, topic] : topics) {
    auto& there = place.topics[name];
    there.id = topic.id;
    there.offsets = offsets.at(name);
    for (std::size_t i = 0; i < there.offsets.size(); ++i) {
      // Nothing is as new as the time that was asked for.
      if (there.offsets[i] < 0) there.offsets[i] = ends.at(name)[i];
    }
  }
  return place;
}

Status check_history(Cluster& cluster, const SourceConfig& config, const LogPlace& place) {
  MAIA_TRY(check_cluster(cluster, place));
  const auto now = MAIA_TRY(selected_topics(cluster, config));
  MAIA_TRY(check_same(place, config, now));
  const auto read = in_place(place, now);
  const auto firsts = MAIA_TRY(cluster.offsets(read, Cluster::kFirst));
  const auto ends = MAIA_TRY(cluster.offsets(read, Cluster::kEnd));
  for (const auto& [name, topic] : read) {
    const auto& offsets = place.topics.at(name).offsets;
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      const auto first = firsts.at(name)[i];
      const auto end = ends.at(name)[i];
      if (offsets[i] < first) {
        return lost(
            fmt::format("{}[{}] begins at {} now: its records from {} on were removed before they were "
                        "read",
                        name, i, first, offsets[i]),
            "records_expired");
      }
      if (offsets[i] > end) {
        return lost(fmt::format("{}[{}] ends at {}, before {}, which was read: the cluster has lost records",
                                name, i, end, offsets[i]),
                    "log_truncated");
      }
    }
  }
  return {};
}

Result<LogPlace> with_news(Cluster& cluster, const SourceConfig& config, LogPlace place) {
  const auto now = MAIA_TRY(selected_topics(cluster, config));
  MAIA_TRY(check_same(place, config, now));
  std::map<std::string, Cluster::Topic> fresh;
  for (const auto& [name, topic] : now) {
    const auto known = place.topics.find(name);
    if (known == place.topics.end()) {
      fresh.emplace(name, topic);
    } else if (known->second.offsets.size() < static_cast<std::size_t>(topic.partitions)) {
      known->second.offsets.resize(static_cast<std::size_t>(topic.partitions));
    }
  }
  const auto firsts = MAIA_TRY(cluster.offsets(fresh, Cluster::kFirst));
  for (const auto& [name, topic] : fresh)
    place.topics[name] = TopicPlace{.id = topic.id, .offsets = firsts.at(name)};
  return place;
}

}  // namespace maia::kafka
