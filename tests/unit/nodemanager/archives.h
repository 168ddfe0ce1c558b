// Archives made byte by byte, so that tests can make those that no tool would.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace heddle::nm {

/// One entry of a tar file (ustar). `type`: '0' file, '1' hard link, '2' symbolic link, '3' and '4'
/// devices, '5' folder, '6' pipe.
inline std::string tar_entry(std::string_view name, char type, std::string_view content = "",
                             std::string_view link = "", unsigned mode = 0644) {
  std::string header(512, '\0');
  const auto put = [&](std::size_t at, std::string_view text) {
    header.replace(at, text.size(), text);
  };
  const auto octal = [&](std::size_t at, int width, unsigned long value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%0*lo", width - 1, value);
    put(at, text.data());
  };
  put(0, name.substr(0, 100));
  octal(100, 8, mode);
  octal(108, 8, 0);
  octal(116, 8, 0);
  octal(124, 12, content.size());
  octal(136, 12, 0);
  put(148, "        ");
  header[156] = type;
  put(157, link.substr(0, 100));
  put(257, std::string_view("ustar\00000", 8));
  unsigned long sum = 0;
  for (const unsigned char c : header) sum += c;
  octal(148, 7, sum);
  std::string out = header + std::string(content);
  out.resize((out.size() + 511) / 512 * 512, '\0');
  return out;
}
inline std::string tar_end() { return std::string(1024, '\0'); }

/// A tar entry whose name is too long for the header (GNU form).
inline std::string long_tar_entry(const std::string& name, std::string_view content) {
  return tar_entry("././@LongLink", 'L', name + std::string(1, '\0')) + tar_entry("x", '0', content);
}

/// A zip file with stored entries.
class ZipBuilder {
 public:
  ZipBuilder& add(const std::string& name, const std::string& content, unsigned mode = 0100644) {
    const std::uint32_t offset = static_cast<std::uint32_t>(bytes_.size());
    const std::string fields = number(20, 2) + number(0, 2) + number(0, 2) + number(0, 4) +
                               number(crc(content), 4) + number(content.size(), 4) +
                               number(content.size(), 4) + number(name.size(), 2) + number(0, 2);
    bytes_ += "PK\3\4" + fields + name + content;
    directory_ += "PK\1\2" + number(0x031e, 2) + fields + number(0, 2) + number(0, 2) +
                  number(0, 2) + number(static_cast<std::uint64_t>(mode) << 16, 4) +
                  number(offset, 4) + name;
    ++count_;
    return *this;
  }
  std::string done() const {
    return bytes_ + directory_ + "PK\5\6" + number(0, 2) + number(0, 2) + number(count_, 2) +
           number(count_, 2) + number(directory_.size(), 4) + number(bytes_.size(), 4) +
           number(0, 2);
  }

 private:
  static std::string number(std::uint64_t value, int bytes) {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
    return out;
  }
  static std::uint32_t crc(const std::string& content) {
    std::uint32_t value = ~0U;
    for (const unsigned char c : content) {
      value ^= c;
      for (int i = 0; i < 8; ++i) value = (value >> 1) ^ ((value & 1) != 0 ? 0xedb88320U : 0);
    }
    return ~value;
  }

  std::string bytes_;
  std::string directory_;
  std::uint64_t count_ = 0;
};

}  // namespace heddle::nm
