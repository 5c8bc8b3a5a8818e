// SPDX-License-Identifier: Apache-2.0
#include "maia/connectors/mysql/charset.h"

#include <fmt/format.h>
#include <iconv.h>

#include <algorithm>
#include <array>
#include <utility>

namespace maia::mysql {
namespace {

/// MySQL's names and those of iconv.
constexpr std::array<std::pair<std::string_view, const char*>, 32> kNames = {{
    {"ucs2", "UCS-2BE"},
    {"utf16", "UTF-16BE"},
    {"utf16le", "UTF-16LE"},
    {"utf32", "UTF-32BE"},
    {"latin2", "ISO-8859-2"},
    {"latin5", "ISO-8859-9"},
    {"latin7", "ISO-8859-13"},
    {"greek", "ISO-8859-7"},
    {"hebrew", "ISO-8859-8"},
    {"cp1250", "CP1250"},
    {"cp1251", "CP1251"},
    {"cp1256", "CP1256"},
    {"cp1257", "CP1257"},
    {"cp850", "CP850"},
    {"cp852", "CP852"},
    {"cp866", "CP866"},
    {"koi8r", "KOI8-R"},
    {"koi8u", "KOI8-U"},
    {"macce", "MACCENTRALEUROPE"},
    {"macroman", "MACINTOSH"},
    {"big5", "BIG5"},
    {"gb2312", "GB2312"},
    {"gbk", "CP936"},
    {"gb18030", "GB18030"},
    {"sjis", "SHIFT_JIS"},
    {"cp932", "CP932"},
    {"ujis", "EUC-JP"},
    {"eucjpms", "EUC-JP-MS"},
    {"euckr", "EUC-KR"},
    {"tis620", "TIS-620"},
    {"armscii8", "ARMSCII-8"},
    {"geostd8", "GEORGIAN-PS"},
}};

/// What MySQL calls latin1 is Windows' code page 1252, with the control characters where that has nothing.
constexpr std::array<std::uint16_t, 32> kLatin1Upper = {
    0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

void append_utf8(std::string& out, std::uint16_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
}

}  // namespace

void CharsetDecoder::Close::operator()(void* converter) const { iconv_close(converter); }

Result<CharsetDecoder> CharsetDecoder::make(std::string_view charset) {
  CharsetDecoder decoder;
  for (const auto plain : {"", "utf8mb4", "utf8mb3", "utf8", "ascii", "binary"}) {
    if (charset == plain) return decoder;
  }
  if (charset == "latin1") {
    decoder.way_ = Way::latin1;
    return decoder;
  }
  for (const auto& [ours, theirs] : kNames) {
    if (charset != ours) continue;
    const auto converter = iconv_open("UTF-8", theirs);
    if (converter == reinterpret_cast<iconv_t>(-1)) break;
    decoder.way_ = Way::convert;
    decoder.converter_.reset(converter);
    return decoder;
  }
  return Error{.code = Error::Code::unsupported,
               .message = fmt::format("the character set {} is not known", charset),
               .hint = "change the column to utf8mb4, or leave the table out with `tables`"};
}

Result<std::string_view> CharsetDecoder::decode(std::string_view text) {
  if (way_ == Way::as_is) return text;
  decoded_.clear();
  if (way_ == Way::latin1) {
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      append_utf8(decoded_, byte >= 0x80 && byte < 0xA0 ? kLatin1Upper[byte - 0x80] : byte);
    }
    return std::string_view(decoded_);
  }
  auto* from = const_cast<char*>(text.data());
  auto left = text.size();
  decoded_.resize(text.size() * 4);
  auto* to = decoded_.data();
  auto room = decoded_.size();
  const auto converted = iconv(converter_.get(), &from, &left, &to, &room);
  if (converted == static_cast<std::size_t>(-1) || left > 0) {
    iconv(converter_.get(), nullptr, nullptr, nullptr, nullptr);
    return Error{.code = Error::Code::data, .message = "a text is not of the character set of its column"};
  }
  decoded_.resize(decoded_.size() - room);
  return std::string_view(decoded_);
}

}  // namespace maia::mysql
