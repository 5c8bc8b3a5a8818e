// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "maia/base/result.h"
#include "maia/config/kind.h"
#include "maia/config/setting.h"
#include "maia/config/settings_check.h"

namespace maia::config {

/// Binds the members of a plain struct to settings, in the order in which they are shown to people. One line
/// per member says everything; the default is the member's initializer and written nowhere else.
///
///     const Spec<Config>& spec() {
///       static const auto spec = Spec<Config>()
///           .add("host", &Config::host, "Name or address of the
///           server.").required().example("db.example.com") .add("port", &Config::port, "Its
///           port.").between(1, 65535) .group("tls", &Config::tls, tls_spec()) .rule([](const Config& c) ->
///           Status { ... });
///       return spec;
///     }
///
/// Immutable once built, and then safe to share between threads.
template <class C>
class Spec {
 public:
  template <class T>
  Spec&& add(std::string name, T C::*member, std::string doc) && {
    Setting setting{.name = std::move(name), .doc = std::move(doc)};
    Kind<T>::describe(setting);
    setting.default_text = Kind<T>::write(C{}.*member);
    return std::move(*this).bind(std::move(setting), [member](C& c, const Node& value) -> Status {
      c.*member = MAIA_TRY(Kind<T>::read(value));
      return {};
    });
  }

  // Each of these refines the setting that was added last.
  Spec&& required() && {
    return refine([](Setting& s) { s.required = true; });
  }
  Spec&& advanced() && {
    return refine([](Setting& s) { s.advanced = true; });
  }
  Spec&& example(std::string text) && {
    return refine([&](Setting& s) { s.example = std::move(text); });
  }
  Spec&& unit(std::string text) && {
    return refine([&](Setting& s) { s.unit = std::move(text); });
  }
  Spec&& between(std::int64_t low, std::int64_t high) && { return bound(low, high); }
  Spec&& between(std::chrono::microseconds low, std::chrono::microseconds high) && {
    return bound(low.count(), high.count());
  }
  Spec&& between(ByteSize low, ByteSize high) && {
    return bound(static_cast<std::int64_t>(low.bytes), static_cast<std::int64_t>(high.bytes));
  }

  /// A nested struct under a name of its own.
  template <class Inner>
  Spec&& group(std::string name, Inner C::*member, Spec<Inner> inner, std::string doc = {}) && {
    return std::move(*this).bind(group_of(std::move(name), std::move(doc), inner),
                                 [member, inner](C& c, const Node& value) -> Status {
                                   c.*member = MAIA_TRY(inner.convert(value));
                                   return {};
                                 });
  }
  /// A list of structs.
  template <class Inner>
  Spec&& group(std::string name, std::vector<Inner> C::*member, Spec<Inner> inner, std::string doc = {}) && {
    auto setting = group_of(std::move(name), std::move(doc), inner);
    contain(setting, Setting::Kind::list);
    return std::move(*this).bind(std::move(setting), [member, inner](C& c, const Node& value) -> Status {
      for (const auto& element : *value.sequence()) (c.*member).push_back(MAIA_TRY(inner.convert(element)));
      return {};
    });
  }
  /// Structs by name.
  template <class Inner>
  Spec&& group(std::string name, std::map<std::string, Inner> C::*member, Spec<Inner> inner,
               std::string doc = {}) && {
    auto setting = group_of(std::move(name), std::move(doc), inner);
    contain(setting, Setting::Kind::map);
    return std::move(*this).bind(std::move(setting), [member, inner](C& c, const Node& value) -> Status {
      for (const auto& entry : *value.mapping())
        (c.*member).emplace(entry.key, MAIA_TRY(inner.convert(entry.value)));
      return {};
    });
  }
  /// A struct whose settings stand directly among ours, such as a connection's.
  template <class Inner>
  Spec&& include(Inner C::*member, const Spec<Inner>& inner) && {
    settings_.insert(settings_.end(), inner.settings_.begin(), inner.settings_.end());
    parts_.push_back([member, inner](C& c, const Node& mapping) -> Status {
      c.*member = MAIA_TRY(inner.convert(mapping));
      return {};
    });
    return std::move(*this);
  }

  /// A rule over several settings, checked when all of them have been read. Its error gets the place of the
  /// mapping in front.
  Spec&& rule(std::function<Status(const C&)> check) && {
    rules_.push_back(std::move(check));
    return std::move(*this);
  }

  const std::vector<Setting>& settings() const { return settings_; }

  /// The struct that a mapping stands for; where a setting is absent, its default. `where` names the mapping
  /// in errors. Code::invalid_config with the place, for anything that is not right.
  Result<C> read(const Node& mapping, std::string_view where = {}) const {
    MAIA_TRY(check_settings(mapping, settings_, where));
    return convert(mapping);
  }

 private:
  template <class Other>
  friend class Spec;
  using Part = std::function<Status(C&, const Node& mapping)>;

  Spec&& bind(Setting setting, std::function<Status(C&, const Node& value)> reader) && {
    parts_.push_back([name = setting.name, reader = std::move(reader)](C& c, const Node& mapping) -> Status {
      const auto* value = mapping.find(name);
      return value ? reader(c, *value) : Status{};
    });
    settings_.push_back(std::move(setting));
    return std::move(*this);
  }
  template <class F>
  Spec&& refine(F change) {
    change(settings_.back());
    return std::move(*this);
  }
  Spec&& bound(std::int64_t low, std::int64_t high) {
    return refine([&](Setting& s) {
      s.minimum = low;
      s.maximum = high;
    });
  }
  template <class Inner>
  static Setting group_of(std::string name, std::string doc, const Spec<Inner>& inner) {
    Setting setting{.name = std::move(name), .doc = std::move(doc), .kind = Setting::Kind::group};
    setting.members = inner.settings();
    return setting;
  }

  Result<C> convert(const Node& mapping) const {
    C config;
    for (const auto& part : parts_) MAIA_TRY(part(config, mapping));
    for (const auto& rule : rules_) {
      if (auto held = rule(config); !held.ok()) return placed(std::move(held).error(), mapping.mark);
    }
    return config;
  }

  std::vector<Setting> settings_;
  std::vector<Part> parts_;
  std::vector<std::function<Status(const C&)>> rules_;
};

}  // namespace maia::config
