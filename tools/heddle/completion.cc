#include "tools/heddle/completion.h"

#include <fmt/format.h>

#include <functional>
#include <vector>

#include "base/text.h"

namespace heddle::cli {
namespace {

struct Word {
  std::string text;
  std::string meaning;
};

/// One place in the tree, and what may follow there.
struct Place {
  std::string path;  // "app list"; "" at the top
  std::vector<Word> commands;
  std::vector<Word> options;
  std::string ids;  // the command that lists what the arguments name
};

std::string ids_of(const CLI::Option& option) {
  const std::string name = option.get_name();
  if (name == "ID") return "app list --all";
  if (name == "NODE") return "node list --all";
  if (name == "QUEUE") return "queue list";
  return "";
}

void collect(const CLI::App& at, const std::string& path, std::vector<Place>& places) {
  const std::size_t index = places.size();
  places.push_back({path, {}, {}, {}});
  for (const CLI::Option* option : at.get_options()) {
    if (option->get_positional() && places[index].ids.empty()) {
      places[index].ids = ids_of(*option);
    }
    for (const std::string& name : option->get_lnames()) {
      places[index].options.push_back({"--" + name, option->get_description()});
    }
  }
  if (path == "completion") {
    places[index].commands = {{"bash", "for bash"}, {"zsh", "for zsh"}, {"fish", "for fish"}};
  }
  for (const CLI::App* child : at.get_subcommands([](const CLI::App*) { return true; })) {
    places[index].commands.push_back({child->get_name(), child->get_description()});
    collect(*child, path.empty() ? child->get_name() : path + " " + child->get_name(), places);
  }
}

std::string words_of(const std::vector<Word>& words) {
  std::string text;
  for (const Word& word : words)
    text += (text.empty() ? "" : " ") + word.text;
  return text;
}

// Also run by zsh: there `path` is $PATH, unquoted words are not split, and `declare -F` is another
// thing.
constexpr std::string_view kBashHead = R"(_heddle() {
  local word place= i options= commands= ids=
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in -*) continue ;; esac
    case "${place:+$place }$word" in
)";
constexpr std::string_view kBashMiddle = R"(    esac
  done
  case $before in
    --conf|--dir) COMPREPLY=($(compgen -d -- "$current")); return ;;
    -o|--output) COMPREPLY=($(compgen -W 'table wide json csv name' -- "$current")); return ;;
  esac
  case $place in
)";
constexpr std::string_view kBashTail = R"(  esac
  case $current in
    -*) COMPREPLY=($(compgen -W "$options" -- "$current")); return ;;
  esac
  COMPREPLY=($(compgen -W "$commands" -- "$current"))
  # What the cluster names is not for compgen -W: that runs the $(...) in its words.
  while [[ -n $ids ]] && IFS= read -r word; do
    case $word in
      ''|*[!A-Za-z0-9._:/-]*) ;;
      "$current"*) COMPREPLY+=("$word") ;;
    esac
  done <<<"${ids:+$(eval "heddle --timeout 0.1 $ids --quiet" 2>/dev/null)}"
  if [[ -n ${BASH_VERSION-} ]] && declare -F __ltrim_colon_completions >/dev/null; then
    __ltrim_colon_completions "$current"
  fi
}
complete -F _heddle heddle
)";

std::string bash_script(const std::vector<Place>& places) {
  std::string paths;
  std::string cases;
  for (const Place& place : places) {
    if (!place.path.empty()) {
      paths += fmt::format("{}      '{}'", paths.empty() ? "" : "|\\\n", place.path);
    }
    std::string options = words_of(place.options);
    if (!place.path.empty()) options += " " + words_of(places.front().options);
    cases += fmt::format("    '{}') commands='{}' options='{}' ids='{}' ;;\n", place.path,
                         words_of(place.commands), options, place.ids);
  }
  return fmt::format("{}{}) place=\"${{place:+$place }}$word\" ;;\n{}{}{}", kBashHead, paths,
                     kBashMiddle, cases, kBashTail);
}

std::string fish_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char byte : text) {
    if (byte == '\'' || byte == '\\') quoted += '\\';
    quoted += byte;
  }
  return quoted + "'";
}

/// True in fish where the words so far are those of `place`.
std::string fish_condition(const Place& place) {
  if (place.path.empty()) return "__fish_use_subcommand";
  std::string text;
  for (const std::string& word : split_list(place.path, ' ')) {
    text += fmt::format("{}__fish_seen_subcommand_from {}", text.empty() ? "" : "; and ", word);
  }
  if (!place.commands.empty()) {
    text += "; and not __fish_seen_subcommand_from " + words_of(place.commands);
  }
  return text;
}

/// What fish offers for the value of an option.
std::string_view fish_values(std::string_view option) {
  if (option == "--output") return " -s o -x -a 'table wide json csv name'";
  if (option == "--conf" || option == "--dir") return " -x -a '(__fish_complete_directories)'";
  return "";
}

std::string fish_script(const std::vector<Place>& places) {
  std::string out = "complete -c heddle -f\n";
  for (const Place& place : places) {
    const std::string when = fish_quoted(fish_condition(place));
    for (const Word& word : place.commands) {
      out += fmt::format("complete -c heddle -n {} -a {} -d {}\n", when, word.text,
                         fish_quoted(word.meaning));
    }
    for (const Word& word : place.options) {
      const std::string condition = place.path.empty() ? "" : " -n " + when;
      out += fmt::format("complete -c heddle{} -l {}{} -d {}\n", condition, word.text.substr(2),
                         fish_values(word.text), fish_quoted(word.meaning));
    }
    if (!place.ids.empty()) {
      out += fmt::format(
          "complete -c heddle -n {} -a '(heddle --timeout 0.1 {} --quiet 2>/dev/null)'\n", when,
          place.ids);
    }
  }
  return out;
}

}  // namespace

std::string completion_script(const CLI::App& root, std::string_view shell) {
  std::vector<Place> places;
  collect(root, "", places);
  const std::string how =
      fmt::format("# heddle completion {} : made from the tree of commands.\n", shell);
  if (shell == "fish") return how + fish_script(places);
  if (shell == "zsh") {
    return "#compdef heddle\n" + how + "autoload -Uz bashcompinit && bashcompinit\n" +
           bash_script(places);
  }
  return how + bash_script(places);
}

}  // namespace heddle::cli
