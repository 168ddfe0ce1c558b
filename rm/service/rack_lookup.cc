#include "rm/service/rack_lookup.h"

#include <fmt/core.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <sstream>

#include "base/bytes.h"
#include "base/child_program.h"
#include "base/log.h"
#include "base/text.h"

namespace heddle::rm {
namespace {

constexpr std::size_t kTableMax = 64_MiB;
constexpr std::size_t kTableAtOnce = 1'000;  // hosts for one reading of the file

/// What may stand among the arguments of a program: no option, no control character.
bool is_host(std::string_view name) {
  const auto is_odd = [](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return !letter && std::string_view("-._:%").find(c) == std::string_view::npos;
  };
  return !name.empty() && name.front() != '-' && std::ranges::none_of(name, is_odd);
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;)
    words.push_back(std::move(word));
  return words;
}

using Table = std::map<std::string, std::string, std::less<>>;

Result<Table> read_table(const std::string& file) {
  std::ifstream stream(file);
  Table table;
  std::size_t bytes = 0;
  for (std::string line; std::getline(stream, line);) {
    bytes += line.size() + 1;
    if (bytes > kTableMax) break;
    if (trim(line).empty() || trim(line).starts_with('#')) continue;
    const auto words = words_of(line);
    // As Hadoop: a line of another form is left out.
    if (words.size() == 2) table.insert_or_assign(words[0], words[1]);
  }
  if (bytes > kTableMax) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} = {}: has more than {} bytes", kRackTable.name, shortened(file),
                            kTableMax));
  }
  if (!stream.eof()) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} = {}: cannot be read", kRackTable.name, shortened(file)));
  }
  return table;
}

}  // namespace

std::string address_of(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return host;
  const addrinfo* chosen = found;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (at->ai_family == AF_INET) {
      chosen = at;
      break;
    }
  }
  std::array<char, NI_MAXHOST> text{};
  const int named = ::getnameinfo(chosen->ai_addr, chosen->ai_addrlen, text.data(), text.size(),
                                  nullptr, 0, NI_NUMERICHOST);
  ::freeaddrinfo(found);
  return named == 0 ? std::string(text.data()) : host;
}

Racks::Lookup script_racks(std::string program) {
  return [program = std::move(program)](
             const std::vector<std::string>& hosts) -> Result<std::vector<std::string>> {
    std::vector<std::string> racks(hosts.size());
    std::vector<std::string> command{program};
    std::vector<std::size_t> asked;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      std::string address = address_of(hosts[i]);
      if (!is_host(address)) continue;
      command.push_back(std::move(address));
      asked.push_back(i);
    }
    if (asked.empty()) return racks;
    auto said = output_of(command);
    if (!said) return fail(std::move(said).error());
    const auto words = words_of(*said);
    if (words.size() != asked.size()) {
      return fail(ErrorCode::kUnavailable,
                  fmt::format("{} = {} printed {} racks for {} addresses", kRackScript.name,
                              shortened(program), words.size(), asked.size()));
    }
    for (std::size_t i = 0; i < asked.size(); ++i)
      racks[asked[i]] = words[i];
    return racks;
  };
}

Racks::Lookup table_racks(std::string file) {
  return [file = std::move(file)](
             const std::vector<std::string>& hosts) -> Result<std::vector<std::string>> {
    auto table = read_table(file);
    if (!table) return fail(std::move(table).error());
    std::vector<std::string> racks;
    racks.reserve(hosts.size());
    for (const std::string& host : hosts) {
      auto found = table->find(address_of(host));
      if (found == table->end()) found = table->find(host);
      racks.push_back(found == table->end() ? Racks::kDefault : found->second);
    }
    return racks;
  };
}

Result<std::shared_ptr<Racks>> racks_from(const Settings& settings) {
  const auto mapping = read(settings, kRackMapping);
  const auto script = read(settings, kRackScript);
  const auto at_once = read(settings, kRackScriptArguments);
  const auto table = read(settings, kRackTable);
  if (!mapping) return fail(mapping.error());
  if (!script) return fail(script.error());
  if (!at_once) return fail(at_once.error());
  if (!table) return fail(table.error());
  const std::string_view name = trim(std::string_view(*mapping).substr(mapping->rfind('.') + 1));
  // What is broken is told and does not stop a cluster: nodes are in the default rack until it is
  // repaired.
  if (name == "TableMapping") {
    if (trim(*table).empty()) return std::make_shared<Racks>();
    if (auto known = read_table(*table); !known) log::error("{}", known.error().message);
    return std::make_shared<Racks>(table_racks(*table), kTableAtOnce);
  }
  if (name == "ScriptBasedMapping") {
    if (trim(*script).empty()) return std::make_shared<Racks>();
    if (::access(script->c_str(), X_OK) != 0) {
      log::error("{} = {}: there is no such program, or it may not be run", kRackScript.name,
                 shortened(*script));
    }
    return std::make_shared<Racks>(script_racks(*script), static_cast<std::size_t>(*at_once));
  }
  return fail(
      ErrorCode::kUnsupported,
      fmt::format("{} = {}: Java classes are not run; use "
                  "org.apache.hadoop.net.ScriptBasedMapping with {}, or "
                  "org.apache.hadoop.net.TableMapping with {}",
                  kRackMapping.name, shortened(*mapping), kRackScript.name, kRackTable.name));
}

}  // namespace heddle::rm
