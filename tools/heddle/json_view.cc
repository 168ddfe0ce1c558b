#include "tools/heddle/json_view.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace heddle::cli {

const Json& member(const Json& object, std::string_view name) {
  static const Json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(std::string(name));
  return found == object.end() ? kNothing : *found;
}

const Json& member(const Json& object, std::initializer_list<std::string_view> path) {
  const Json* at = &object;
  for (const std::string_view name : path)
    at = &member(*at, name);
  return *at;
}

std::string text_of(const Json& object, std::string_view name) {
  const Json& value = member(object, name);
  if (value.is_string()) return value.get_ref<const std::string&>();
  return value.is_null() ? "" : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::int64_t int_of(const Json& object, std::string_view name) {
  const Json& value = member(object, name);
  if (value.is_number_float()) return static_cast<std::int64_t>(real_of(object, name));
  if (value.is_number()) return value.get<std::int64_t>();
  if (value.is_string()) return parse_int(value.get_ref<const std::string&>()).value_or(0);
  return 0;
}

double real_of(const Json& object, std::string_view name) {
  constexpr double kMax = 9e15;  // whole numbers of a double
  const Json& value = member(object, name);
  if (!value.is_number()) return 0;
  const auto real = value.get<double>();
  return std::isfinite(real) && std::abs(real) < kMax ? real : 0;
}

std::vector<const Json*> items_of(const Json& value) {
  std::vector<const Json*> items;
  if (value.is_object()) items.push_back(&value);
  if (!value.is_array()) return items;
  for (const Json& item : value)
    items.push_back(&item);
  return items;
}

}  // namespace heddle::cli
