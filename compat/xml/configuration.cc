#include "compat/xml/configuration.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include "base/text.h"
#include "compat/xml/deprecated.h"
#include "compat/xml/known_properties.h"
#include "compat/xml/parse_file.h"

namespace heddle::compat::xml {
namespace {

constexpr std::string_view kFromDefault = "default";
constexpr std::string_view kFromProcess = "process";
constexpr std::string_view kFromCommandLine = "command line";
constexpr std::size_t kTypoChecksMax = 2'000;  // entries of one file; each costs about 50 us
constexpr std::string_view kQueueFile = "capacity-scheduler.xml";
constexpr std::array<std::string_view, 7> kFiles = {
    "core-site.xml",      "hdfs-site.xml",      "yarn-site.xml",  kQueueFile,
    "resource-types.xml", "node-resources.xml", "mapred-site.xml"};

Failure cannot_read(const std::filesystem::path& path, int error) {
  const auto code = error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kInvalidArgument;
  return fail(code,
              fmt::format("cannot read configuration {}: {}", path.string(), std::strerror(error)));
}

}  // namespace

Result<std::string> read_configuration_file(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return cannot_read(path, errno);
  struct stat info {};
  int error = ::fstat(file, &info) == 0 ? 0 : errno;
  if (error == 0 && !S_ISREG(info.st_mode)) error = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
  std::string text;
  std::array<char, 65536> block;
  while (error == 0 && text.size() <= kFileBytesMax) {
    const ssize_t count = ::read(file, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) error = errno;
    if (count <= 0) break;
    text.append(block.data(), static_cast<std::size_t>(count));
  }
  ::close(file);
  if (error != 0) return cannot_read(path, error);
  return text;
}

std::span<const std::string_view> configuration_files() {
  return kFiles;
}

namespace {

void set_defaults(Settings& settings) {
  for (const KnownProperty& known : known_properties()) {
    if (known.is_pattern() || known.default_value.empty()) continue;
    settings.set(std::string(known.name),
                 {std::string(known.default_value), std::string(kFromDefault), false});
  }
  std::array<char, 4096> buffer;
  passwd entry{};
  passwd* found = nullptr;
  const bool named = ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
                     found != nullptr;
  settings.set("user.name", {named ? entry.pw_name : std::to_string(::geteuid()),
                             std::string(kFromProcess), false});
}

void warn_if_misspelt(const Entry& entry, std::vector<std::string>& warnings) {
  if (!entry.name.starts_with("yarn.") && !entry.name.starts_with("heddle.")) return;
  if (const auto known = did_you_mean(entry.name)) {
    warnings.push_back(fmt::format("{}: unknown property {}: did you mean {}?", entry.source,
                                   shortened(entry.name, 120), *known));
  }
}

void use_newer_name(Entry& entry, std::vector<std::string>& warnings) {
  const auto now = renamed(entry.name);
  if (!now || !now->taken_here) return;
  warnings.push_back(
      fmt::format("{}: {} is an old name, taken for {}", entry.source, entry.name, now->newer));
  entry.name = now->newer;
}

void merge(ParsedFile file, Configuration& into) {
  std::size_t checked = 0;
  for (Entry& entry : file.entries) {
    use_newer_name(entry, into.warnings);
    if (++checked <= kTypoChecksMax) warn_if_misspelt(entry, into.warnings);
    const Setting* present = into.settings.find(entry.name);
    if (present != nullptr && present->is_final) {
      if (present->value != entry.value && present->source != kFromCommandLine) {
        into.warnings.push_back(fmt::format("{}: {} stays as it is: it is final since {}",
                                            entry.source, shortened(entry.name, 120),
                                            present->source));
      }
      continue;
    }
    into.settings.set(std::move(entry.name),
                      {std::move(entry.value), std::move(entry.source), entry.is_final});
  }
  for (std::string& warning : file.warnings)
    into.warnings.push_back(std::move(warning));
}

Result<void> merge_path(const std::filesystem::path& path, Configuration& into) {
  auto text = read_configuration_file(path);
  if (!text) return fail(std::move(text).error());
  auto parsed = parse_file(*text, path.filename().string());
  if (!parsed) return fail(std::move(parsed).error().within(path.parent_path().string()));
  merge(*std::move(parsed), into);
  return {};
}

/// "1024Mi" as amount and unit. The unit may be missing.
struct Amount {
  std::int64_t number = 0;
  std::string unit;
};

Result<Amount> read_amount(const Settings& settings, const std::string& name,
                           std::string_view default_text) {
  const std::string text = settings.get_or(name, default_text);
  const std::string_view trimmed = trim(text);
  const auto digits = std::min(trimmed.find_first_not_of("-0123456789"), trimmed.size());
  const auto number = parse_int(trimmed.substr(0, digits));
  if (!number || *number < 0) {
    const Setting* setting = settings.find(name);
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} = '{}' ({}): must be a whole number from 0 on, with a unit such "
                            "as G or Mi behind it if one is meant",
                            name, shortened(text), setting ? setting->source : "default"),
                ErrorSubject::kResourceRequest);
  }
  return Amount{*number, std::string(trim(trimmed.substr(digits)))};
}

Result<std::int64_t> limit_of(const Settings& settings, const std::string& name,
                              std::string_view default_text, std::string_view unit) {
  auto amount = read_amount(settings, name, default_text);
  if (!amount) return fail(std::move(amount).error());
  if (amount->unit.empty()) return amount->number;
  auto converted = convert_unit(amount->number, amount->unit, unit);
  if (!converted) return fail(std::move(converted).error().within(name));
  return *converted;
}

Result<ResourceTypes::Type> read_type(const Settings& settings, std::string name) {
  const std::string prefix = "yarn.resource-types." + name;
  ResourceTypes::Type type;
  type.unit = std::string(trim(settings.get_or(prefix + ".units", "")));
  if (auto known = convert_unit(1, type.unit, type.unit); !known) {
    return fail(std::move(known).error().within(prefix + ".units"));
  }
  auto minimum = limit_of(settings, prefix + ".minimum-allocation", "0", type.unit);
  if (!minimum) return fail(std::move(minimum).error());
  auto maximum = limit_of(settings, prefix + ".maximum-allocation",
                          std::to_string(std::numeric_limits<std::int64_t>::max()), type.unit);
  if (!maximum) return fail(std::move(maximum).error());
  if (*minimum > *maximum) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{}: minimum-allocation {} is above maximum-allocation {}", prefix,
                            *minimum, *maximum));
  }
  type.name = std::move(name);
  type.minimum = *minimum;
  type.maximum = *maximum;
  return type;
}

}  // namespace

Result<Override> parse_override(std::string_view text) {
  const auto equals = text.find('=');
  const std::string_view name = trim(text.substr(0, std::min(equals, text.size())));
  if (equals == std::string_view::npos || name.empty()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("-D {}: must be name=value", shortened(text)));
  }
  return Override{std::string(name), std::string(text.substr(equals + 1))};
}

Result<Configuration> load_configuration(const std::filesystem::path& conf_dir,
                                         const std::vector<Override>& overrides,
                                         BrokenQueues broken_queues) {
  struct stat info {};
  if (::stat(conf_dir.c_str(), &info) != 0) return cannot_read(conf_dir, errno);
  if (!S_ISDIR(info.st_mode)) return cannot_read(conf_dir, ENOTDIR);
  Configuration configuration;
  set_defaults(configuration.settings);
  // Final, so that no file can change them; and last wins among themselves.
  for (auto each = overrides.rbegin(); each != overrides.rend(); ++each) {
    Entry entry{each->name, each->value, std::string(kFromCommandLine), true};
    use_newer_name(entry, configuration.warnings);
    warn_if_misspelt(entry, configuration.warnings);
    configuration.settings.set(entry.name, {entry.value, entry.source, true});
  }
  for (const std::string_view file : kFiles) {
    auto merged = merge_path(conf_dir / file, configuration);
    if (merged || merged.error().code == ErrorCode::kNotFound) continue;
    if (broken_queues == BrokenQueues::kFail || file != kQueueFile) {
      return fail(std::move(merged).error());
    }
    configuration.queues_fault = std::move(merged).error();
  }
  return configuration;
}

Result<Configuration> load_file(const std::filesystem::path& file) {
  Configuration configuration;
  RETURN_IF_ERROR(merge_path(file, configuration));
  return configuration;
}

Result<Configuration> parse_configuration(std::string_view text, std::string_view name) {
  auto parsed = parse_file(text, name);
  if (!parsed) return fail(std::move(parsed).error());
  Configuration configuration;
  merge(*std::move(parsed), configuration);
  return configuration;
}

Result<ResourceTypes> resource_types_from(const Settings& settings) {
  ResourceTypes types;
  for (std::string& name : split_list(settings.get_or("yarn.resource-types", ""))) {
    if (types.index_of(name) == kMemory || types.index_of(name) == kVcores) continue;
    auto type = read_type(settings, std::move(name));
    if (!type) return fail(std::move(type).error());
    RETURN_IF_ERROR(types.add(*std::move(type)));
  }
  return types;
}

}  // namespace heddle::compat::xml
