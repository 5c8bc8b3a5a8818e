// SPDX-License-Identifier: Apache-2.0
#include "maia/state/file_versions.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <limits>

namespace maia {
namespace {

constexpr std::size_t kShortDigits = 12;

constexpr const char* kTables =
    "create table if not exists file_text (hash text primary key, path text not null, text text not null)"
    " without rowid;"
    "create table if not exists file_use (number integer primary key autoincrement, hash text not null,"
    " taken_up_at integer not null, how text not null, user text not null, changed text not null)";

constexpr const char* kRead =
    "select hash, path, text, how, user, changed, taken_up_at from file_use join file_text using (hash)"
    " order by number desc limit ?1";

}  // namespace

std::string version_hash(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string hash;
  for (unsigned int i = 0; i < size; ++i) fmt::format_to(std::back_inserter(hash), "{:02x}", digest[i]);
  return hash;
}

std::string short_hash(std::string_view hash) { return std::string(hash.substr(0, kShortDigits)); }

Result<std::unique_ptr<FileVersions>> FileVersions::open(const std::string& path) {
  auto file = MAIA_TRY(Sqlite::open(path));
  MAIA_TRY(file.execute(kTables));
  return std::unique_ptr<FileVersions>(new FileVersions(std::move(file)));
}

Status FileVersions::record(const FileVersion& version) {
  const std::lock_guard lock(mutex_);
  return file_.atomically([&]() -> Status {
    const auto latest = MAIA_TRY(read(1));
    if (!latest.empty() && latest.front().hash == version.hash) return {};
    auto text = MAIA_TRY(file_.prepare("insert or replace into file_text values (?1, ?2, ?3)"));
    MAIA_TRY(text.bind(1, version.hash).bind(2, version.path).bind(3, version.text).step());
    auto use = MAIA_TRY(file_.prepare("insert into file_use values (null, ?1, ?2, ?3, ?4, ?5)"));
    use.bind(1, version.hash).bind(2, version.at).bind(3, version.how).bind(4, version.user);
    MAIA_TRY(use.bind(5, version.changed).step());
    return {};
  });
}

Result<std::vector<FileVersion>> FileVersions::read(std::size_t at_most) {
  auto rows = MAIA_TRY(file_.prepare(kRead));
  rows.bind(1, static_cast<std::int64_t>(at_most));
  std::vector<FileVersion> out;
  while (MAIA_TRY(rows.step())) {
    out.push_back(FileVersion{.hash = rows.text(0),
                              .path = rows.text(1),
                              .text = rows.text(2),
                              .how = rows.text(3),
                              .user = rows.text(4),
                              .changed = rows.text(5),
                              .at = rows.number(6)});
  }
  return out;
}

Result<std::optional<FileVersion>> FileVersions::current() {
  const std::lock_guard lock(mutex_);
  auto latest = MAIA_TRY(read(1));
  if (latest.empty()) return std::optional<FileVersion>();
  return std::optional(std::move(latest.front()));
}

Result<std::vector<FileVersion>> FileVersions::list() {
  const std::lock_guard lock(mutex_);
  return read(std::numeric_limits<std::int64_t>::max());
}

}  // namespace maia
