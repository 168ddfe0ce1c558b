// Reading answers of daemons without trusting them: what is missing or of another kind reads as
// empty.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::cli {

using Json = nlohmann::json;

/// The member, or null.
const Json& member(const Json& object, std::string_view name);
/// object[a][b]...; null when one is missing.
const Json& member(const Json& object, std::initializer_list<std::string_view> path);
std::string text_of(const Json& object, std::string_view name);  // numbers as text, too
std::int64_t int_of(const Json& object, std::string_view name);  // 0
double real_of(const Json& object, std::string_view name);       // 0
/// The elements of an array, or the one object that stands for it.
std::vector<const Json*> items_of(const Json& value);

}  // namespace heddle::cli
