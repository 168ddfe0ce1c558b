#include "nodemanager/launch/script.h"

#include <fmt/core.h>

#include <iterator>
#include <map>

namespace heddle::nm {
namespace {

constexpr std::string_view kAddOpens =
    "--add-opens=java.base/java.lang=ALL-UNNAMED "
    "--add-exports=java.base/sun.net.dns=ALL-UNNAMED "
    "--add-exports=java.base/sun.net.util=ALL-UNNAMED";

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::string out;
  std::size_t start = 0;
  while (true) {
    const std::size_t at = text.find(from, start);
    if (at == std::string::npos) break;
    out.append(text, start, at - start).append(to);
    start = at + from.size();
  }
  if (start == 0) return;
  out.append(text, start);
  text = std::move(out);
}

bool is_name_character(char c, bool first) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (!first && c >= '0' && c <= '9');
}

/// Names after '$' or '${'.
std::vector<std::string_view> mentioned(std::string_view value) {
  std::vector<std::string_view> names;
  for (std::size_t i = value.find('$'); i != std::string_view::npos; i = value.find('$', i)) {
    ++i;
    if (i < value.size() && value[i] == '{') ++i;
    const std::size_t start = i;
    while (i < value.size() && is_name_character(value[i], i == start))
      ++i;
    if (i > start) names.push_back(value.substr(start, i - start));
  }
  return names;
}

class UseOrder {
 public:
  explicit UseOrder(Variables variables) : variables_(std::move(variables)) {
    for (std::size_t i = 0; i < variables_.size(); ++i)
      by_name_.emplace(variables_[i].first, i);
    visited_.resize(variables_.size());
  }

  Variables take() {
    for (std::size_t i = 0; i < variables_.size(); ++i)
      visit(i);
    Variables ordered;
    for (const std::size_t index : order_)
      ordered.push_back(std::move(variables_[index]));
    return ordered;
  }

 private:
  // Without recursion: a hostile chain of variables must not exhaust the stack.
  void visit(std::size_t root) {
    if (visited_[root]) return;
    struct Step {
      std::size_t index;
      std::vector<std::string_view> uses;
      std::size_t next = 0;
    };
    std::vector<Step> path;
    visited_[root] = true;
    path.push_back({root, mentioned(variables_[root].second)});
    while (!path.empty()) {
      Step& step = path.back();
      if (step.next == step.uses.size()) {
        order_.push_back(step.index);
        path.pop_back();
        continue;
      }
      const auto used = by_name_.find(step.uses[step.next++]);
      if (used == by_name_.end() || visited_[used->second]) continue;
      visited_[used->second] = true;
      path.push_back({used->second, mentioned(variables_[used->second].second)});
    }
  }

  Variables variables_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  std::vector<bool> visited_;
  std::vector<std::size_t> order_;
};

}  // namespace

std::string to_text(const LaunchScript& script) {
  std::string out = "#!/bin/bash\n\nset -o pipefail -e\n";
  auto to = std::back_inserter(out);
  fmt::format_to(to, "export PRELAUNCH_OUT=\"{}/prelaunch.out\"\n", script.log_dir);
  fmt::format_to(to, "exec >\"${{PRELAUNCH_OUT}}\"\n");
  fmt::format_to(to, "export PRELAUNCH_ERR=\"{}/prelaunch.err\"\n", script.log_dir);
  fmt::format_to(to, "exec 2>\"${{PRELAUNCH_ERR}}\"\n");
  out += "echo \"Setting up env variables\"\n";
  for (const auto& [name, value] : script.inherited) {
    fmt::format_to(to, "export {}=${{{}:-\"{}\"}}\n", name, name, value);
  }
  for (const Variables* part : {&script.node, &script.container}) {
    for (const auto& [name, value] : *part)
      fmt::format_to(to, "export {}=\"{}\"\n", name, value);
  }
  out += "echo \"Setting up job resources\"\n";
  for (const auto& [target, link] : script.links) {
    const std::size_t slash = link.rfind('/');
    if (slash != std::string::npos && slash > 0) {
      fmt::format_to(to, "mkdir -p {}\n", link.substr(0, slash));
    }
    fmt::format_to(to, "ln -sf -- \"{}\" \"{}\"\n", target, link);
  }
  if (!script.debug_program.empty()) {
    out += "echo \"Copying debugging information\"\n";
    fmt::format_to(to, "\"{}\" \"{}\" || true\n", script.debug_program, script.log_dir);
  }
  out += "echo \"Launching container\"\nexec /bin/bash -c \"";
  for (std::size_t i = 0; i < script.commands.size(); ++i) {
    if (i > 0) out += ' ';
    out += script.commands[i];
  }
  out += "\"\n";
  return out;
}

std::string expand_tokens(std::string_view text, std::string_view log_dir, bool java_17) {
  std::string out(text);
  replace_all(out, "<LOG_DIR>", log_dir);
  replace_all(out, "<CPS>", ":");
  replace_all(out, "<ADD_OPENS>", java_17 ? kAddOpens : std::string_view());
  replace_all(out, "{{", "$");
  replace_all(out, "}}", "");
  return out;
}

Variables order_by_use(Variables variables) {
  return UseOrder(std::move(variables)).take();
}

}  // namespace heddle::nm
