#include "tools/heddle/log_text.h"

#include <string>

namespace heddle::cli {

std::string_view last_lines(std::string_view text, std::int64_t lines) {
  if (lines < 0) return text;
  if (lines == 0) return {};
  std::size_t at = text.size();
  if (at > 0 && text[at - 1] == '\n') --at;  // ends the last line, begins none
  for (; at > 0; --at) {
    if (text[at - 1] == '\n' && --lines == 0) break;
  }
  return text.substr(at);
}

std::string_view framed_text(std::string_view answer, std::string_view file) {
  constexpr std::string_view kBegin = "\nLogContents:\n";
  const auto begin = answer.find(kBegin);
  if (begin != std::string_view::npos) answer.remove_prefix(begin + kBegin.size());
  const auto end = answer.rfind("End of LogType:" + std::string(file));
  if (end != std::string_view::npos) answer = answer.substr(0, end);
  return answer;
}

}  // namespace heddle::cli
