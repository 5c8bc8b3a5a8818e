// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "maia/base/result.h"
#include "maia/config/setting.h"
#include "maia/connector/destination.h"
#include "maia/connector/source.h"

namespace maia {

/// What a connector can do, as data: the core, the docs and the UI read it before one is opened.
struct Capabilities {
  bool snapshot = false;        ///< source: existing rows
  bool stream = false;          ///< source: changes
  bool transactional = false;   ///< destination: rows and checkpoint commit together
  bool upsert = false;          ///< destination
  bool append = false;          ///< destination
  bool schema_changes = false;  ///< destination: can alter tables
  bool query = false;           ///< destination: answers `maia query`
};

/// Delivery guarantee, best first; failure-modes levels A, R, F, L.
enum class Guarantee : std::uint8_t {
  exactly_once_atomic,
  exactly_once_row,
  effectively_once,
  at_least_once
};
std::string_view to_string(Guarantee guarantee);

/// Everything that is known of a connector without opening one.
struct Connector {
  std::string name;  ///< folder name and the value of `type:`
  std::string title;
  std::string summary;  ///< one sentence
  Capabilities can;
  Guarantee guarantee = Guarantee::at_least_once;     ///< as a destination
  std::vector<config::Setting> source_settings;       ///< empty: not a source
  std::vector<config::Setting> destination_settings;  ///< empty: not a destination
  std::vector<std::string> uri_schemes;               ///< of `maia sync`, such as "postgres", "postgresql"
  /// What a pipeline passes to a connector besides its settings.
  struct OpenOptions {
    std::string pipeline;  ///< its name; unique per state directory
    std::string state_directory;
    /// The settings once more, with passwords read anew; for every new connection. Empty: as they were.
    std::function<Result<config::Node>()> settings_again = {};
    std::uint64_t memory_bytes = 0;  ///< what it may use for buffers, unless its settings say; 0: not limited
  };
  std::function<Result<std::unique_ptr<Source>>(const config::Node&, const OpenOptions&)> open_source;
  std::function<Result<std::unique_ptr<Destination>>(const config::Node&, const OpenOptions&)>
      open_destination;
  /// Settings for a connection URI of `maia sync`, as the YAML mapping that stands for it.
  std::function<Result<config::Node>(std::string_view uri)> settings_from_uri;
};

}  // namespace maia
