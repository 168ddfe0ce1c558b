#include "nodemanager/self_report.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "nodemanager/properties.h"

namespace heddle::nm {
namespace {

namespace props = properties;

constexpr std::size_t kNameMax = 255;
constexpr std::size_t kAttributesMax = 1'000;

bool is_name(std::string_view text, bool with_points) {
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !text.empty() && text.size() <= kNameMax && plain(text.front()) &&
         std::ranges::all_of(text, [&](char c) {
           return plain(c) || c == '-' || c == '_' || (with_points && c == '.');
         });
}

/// Whether the provider is "config"; kUnsupported when it is another one.
Result<bool> from_configuration(const Settings& settings, const TextProperty& property) {
  const auto provider = read(settings, property);
  if (!provider) return fail(provider.error());
  const std::string name = to_lower(trim(*provider));
  if (name.empty()) return false;
  if (name == "config") return true;
  return fail(ErrorCode::kUnsupported, fmt::format("{} = {} is not supported yet; only config is",
                                                   property.name, shortened(*provider)));
}

Result<std::vector<std::string>> partition_from(const Settings& settings) {
  const auto text = read(settings, props::kPartition);
  if (!text) return fail(text.error());
  const std::string label(trim(*text));
  if (label.empty()) return std::vector<std::string>{};
  if (is_name(label, false)) return std::vector<std::string>{label};
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("{} = '{}': a label has 1 to {} letters, digits, - and _, and begins "
                          "with a letter or digit",
                          props::kPartition.name, shortened(label), kNameMax));
}

/// "name,type,value:name,type,value"
Result<std::vector<NodeAttribute>> attributes_from(const Settings& settings) {
  const auto text = read(settings, props::kAttributes);
  if (!text) return fail(text.error());
  std::vector<NodeAttribute> out;
  for (const std::string& entry : split_list(*text, ':')) {
    const auto refuse = [&](std::string_view why) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("{}: '{}' {}", props::kAttributes.name, shortened(entry), why));
    };
    const auto first = entry.find(',');
    const auto second = first == std::string::npos ? first : entry.find(',', first + 1);
    if (second == std::string::npos || entry.find(',', second + 1) != std::string::npos) {
      return refuse("is not of the form name,STRING,value");
    }
    const std::string name(trim(std::string_view(entry).substr(0, first)));
    const auto type = trim(std::string_view(entry).substr(first + 1, second - first - 1));
    const std::string value(trim(std::string_view(entry).substr(second + 1)));
    if (to_upper(type) != "STRING") return refuse("has another type than STRING, the only one");
    if (!is_name(name, false)) return refuse("has no proper name of letters, digits, - and _");
    if (!value.empty() && !is_name(value, true)) {
      return refuse("has a value of other characters than letters, digits, -, _ and .");
    }
    if (out.size() >= kAttributesMax) {
      return refuse(fmt::format("is one more than the {} that a node may have", kAttributesMax));
    }
    out.push_back({name, value});
  }
  return out;
}

}  // namespace

Result<SelfReport> read_self_report(const Settings& settings) {
  SelfReport out;
  const auto labels = from_configuration(settings, props::kLabelProvider);
  if (!labels) return fail(labels.error());
  if (*labels) {
    auto partition = partition_from(settings);
    if (!partition) return fail(partition.error());
    out.labels = *std::move(partition);
  }
  const auto attributes = from_configuration(settings, props::kAttributeProvider);
  if (!attributes) return fail(attributes.error());
  if (*attributes) {
    auto listed = attributes_from(settings);
    if (!listed) return fail(listed.error());
    out.attributes = *std::move(listed);
  }
  const auto labels_again = read(settings, props::kLabelsAgain);
  const auto attributes_again = read(settings, props::kAttributesAgain);
  if (!labels_again) return fail(labels_again.error());
  if (!attributes_again) return fail(attributes_again.error());
  out.labels_again = *labels_again;
  out.attributes_again = *attributes_again;
  return out;
}

}  // namespace heddle::nm
