#include "compat/yarn/compatibility.h"

#include <fmt/core.h>

#include <algorithm>

namespace heddle::compat::yarn {
namespace {

std::string_view text(Support support) {
  switch (support) {
    case Support::kWorks: return "works";
    case Support::kEmpty: return "answers: none";
    case Support::kRefused: return "refused by name";
  }
  return "";
}

}  // namespace

std::string compatibility_page() {
  std::string out =
      "# Hadoop RPC methods\n\n"
      "What unmodified Hadoop 3.x clients, ApplicationMasters and NodeManagers can call. This page "
      "is\n"
      "printed by `gen-compatibility` from the table in `compat/yarn/compatibility.h`; do not edit "
      "it.\n\n"
      "- works: does what Hadoop does.\n"
      "- answers: none: the feature is off, and the answer is an empty one.\n"
      "- refused by name: an exception says which feature is off or not there yet.\n";
  std::string_view current;
  for (const MethodSupport& entry : kCompatibility) {
    if (entry.protocol != current) {
      current = entry.protocol;
      const auto count = [&](Support support) {
        return std::ranges::count_if(kCompatibility, [&](const MethodSupport& other) {
          return other.protocol == current && other.support == support;
        });
      };
      out += fmt::format("\n## {}\n\n{} work, {} answer none, {} are refused.\n\n", current,
                         count(Support::kWorks), count(Support::kEmpty), count(Support::kRefused));
      out += "| method | state | note |\n|---|---|---|\n";
    }
    out += fmt::format("| {} | {} | {} |\n", entry.method, text(entry.support), entry.note);
  }
  return out;
}

}  // namespace heddle::compat::yarn
