// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

/// Binary values of types that travel as text, printed as the server prints them under session_settings().
/// Each appends to `out` and returns false if the bytes are not of the type.
namespace maia::postgres {

/// "char": one byte; nothing for zero, \ooo above 127 (as PostgreSQL 15 does; 14 prints the bare byte).
bool print_char(std::string_view bytes, std::string& out);
/// "-$1,234.56" for -123456.
bool print_money(std::string_view bytes, std::string& out);
/// "04:05:06.789-08"; the zone with minutes and seconds where it has any.
bool print_timetz(std::string_view bytes, std::string& out);
/// "10110"; the last byte is filled up with zeros.
bool print_bits(std::string_view bytes, std::string& out);
/// "192.168.0.1/24", "::ffff:1.2.3.4"; inet and cidr. The length of the network is left out where it is a
/// whole address and the type is inet.
bool print_inet(std::string_view bytes, std::string& out);
/// "08:00:2b:01:02:03", 6 or 8 bytes.
bool print_macaddr(std::string_view bytes, std::string& out);

}  // namespace maia::postgres
