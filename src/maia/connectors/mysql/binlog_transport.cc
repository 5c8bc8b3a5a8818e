// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/binlog_transport.h"

#include <errmsg.h>
#include <fmt/format.h>
#include <mysql.h>
#include <sys/socket.h>

#include <random>

namespace maia::mysql {
namespace {

constexpr std::size_t kMostWaitingBytes = std::size_t{32} << 20;
constexpr std::chrono::seconds kHeartbeat{10};
constexpr unsigned kBinlogDumpGtid = 30;
/// The server cannot give what was asked for: purged, or never there.
constexpr unsigned kFatalError = 1236;

/// Every reader of a log needs a number that no other has; the server ends the older of two with the same.
std::uint32_t replica_number() {
  std::random_device random;
  return 0x40000000U | (random() & 0x3FFFFFFFU);
}

}  // namespace

Result<std::unique_ptr<BinlogTransport>> BinlogTransport::open(const Connection::Options& connect,
                                                               const LogPlace& from) {
  auto options = connect;
  options.read_timeout = kHeartbeat * 6;
  std::unique_ptr<BinlogTransport> transport(new BinlogTransport(MAIA_TRY(Connection::open(options))));
  MAIA_TRY(in("read the binary log", transport->begin(from)));
  transport->reader_ = std::jthread([raw = transport.get()] { raw->read_all(); });
  return transport;
}

Status BinlogTransport::begin(const LogPlace& from) {
  auto& connection = *connection_;
  if (connection.server().mariadb != from.mariadb()) {
    return Error{Error::Code::lost_history, Recovery::halt,
                 connection.where() + " is of another product than the one that was read so far",
                 "MySQL and MariaDB number their transactions differently: begin anew", "other_server"};
  }
  const auto period = std::chrono::nanoseconds(kHeartbeat).count();
  MAIA_TRY(
      connection.run(fmt::format("SET @master_heartbeat_period = {0}, @source_heartbeat_period = {0}, "
                                 "@master_binlog_checksum = @@global.binlog_checksum, "
                                 "@source_binlog_checksum = @@global.binlog_checksum",
                                 period)));
  if (from.mariadb()) {
    const auto& read_from = from.read_from ? from.read_from->text() : from.text();
    MAIA_TRY(
        connection.run("SET @mariadb_slave_capability = 4, @slave_gtid_strict_mode = 0, "
                       "@slave_gtid_ignore_duplicates = 0, @slave_connect_state = '" +
                       read_from + "'"));
  }
  return dump(from);
}

Status BinlogTransport::dump(const LogPlace& from) {
  Bytes request;
  ByteWriter out(request);
  const auto u16 = [&out](std::uint16_t value) { out.raw(&value, sizeof value); };
  if (from.mariadb()) {
    out.u32(4);  // behind the mark that every file begins with
    u16(0);
    out.u32(replica_number());
  } else {
    constexpr std::uint16_t kByGtids = 4;
    const auto passed = std::get<GtidSet>(from.passed).encoded();
    u16(kByGtids);
    out.u32(replica_number());
    out.u32(0);  // no file name
    out.u64(4);
    out.u32(static_cast<std::uint32_t>(passed.size()));
    out.bytes(passed);
  }
  auto* mysql = connection_->native();
  const auto command =
      static_cast<enum_server_command>(from.mariadb() ? unsigned{COM_BINLOG_DUMP} : kBinlogDumpGtid);
  const auto* bytes = reinterpret_cast<const char*>(request.data());
  if (mysql->methods->db_command(mysql, command, bytes, request.size(), 1, nullptr) != 0) return ended();
  return {};
}

BinlogTransport::~BinlogTransport() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  ::shutdown(mysql_get_socket(connection_->native()), SHUT_RDWR);
}

Error BinlogTransport::ended() {
  auto error = connection_->error_of(connection_->where());
  if (connection_->last_error() == kFatalError) {
    error.code = Error::Code::lost_history;
    error.recovery = Recovery::halt;
    error.hint =
        "the binary logs that come next are purged, or were never on this server; keep them longer "
        "(binlog_expire_logs_seconds), and copy the tables anew";
    error.reason = "log_purged";
  }
  return error;
}

Result<Bytes> BinlogTransport::read_one() {
  auto* mysql = connection_->native();
  const auto size = mysql_net_read_packet(mysql);
  if (size == packet_error) return ended();
  const auto* bytes = mysql->net.read_pos;
  constexpr std::uint8_t kEnd = 0xFE;
  if (size == 0 || bytes[0] != 0) {
    if (size > 0 && bytes[0] == kEnd)
      return Error{Error::Code::unavailable, Recovery::reconnect, "the server has ended its binary log", ""};
    return Error{Error::Code::corruption, Recovery::reconnect, "the binary log has a packet without an event",
                 ""};
  }
  return Bytes(bytes + 1, bytes + size);
}

void BinlogTransport::read_all() {
  for (;;) {
    auto event = read_one();
    std::unique_lock lock(mutex_);
    if (!event.ok()) {
      end_ = std::move(event).error();
      changed_.notify_all();
      return;
    }
    changed_.wait(lock, [&] { return closing_ || arrived_bytes_ < kMostWaitingBytes; });
    if (closing_) return;
    arrived_bytes_ += event->size();
    arrived_.push_back(std::move(event).value());
    changed_.notify_all();
  }
}

Result<std::optional<Bytes>> BinlogTransport::next(std::chrono::milliseconds wait,
                                                   const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, wait, [&] { return !arrived_.empty() || end_; });
  if (arrived_.empty()) {
    if (end_) return *end_;
    return std::optional<Bytes>();
  }
  auto event = std::move(arrived_.front());
  arrived_.pop_front();
  arrived_bytes_ -= event.size();
  changed_.notify_all();
  return std::optional(std::move(event));
}

}  // namespace maia::mysql
