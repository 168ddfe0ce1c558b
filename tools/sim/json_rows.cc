#include "tools/sim/json_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"

namespace heddle::sim {
namespace {

/// The file with a count of its lines. It ends early when one token is too long.
class Input {
 public:
  explicit Input(std::istream& in) : in_(in) {}

  bool at_end() { return too_long() || (at_ == end_ && !fill()); }
  char peek() const { return buffer_[at_]; }
  void skip() {
    if (buffer_[at_++] == '\n') ++line_;
    ++token_;
  }
  /// Whether something other than blanks and comments is left.
  bool more() {
    for (token_ = 0; !at_end(); skip()) {
      const char c = peek();
      if (c != ' ' && c != '\t' && c != '\r' && c != '\n') return true;
      token_ = 0;
    }
    return false;
  }
  void begin_token() { token_ = 0; }
  bool too_long() const { return token_ > kJsonTokenMax; }
  std::int64_t line() const { return line_; }

 private:
  bool fill() {
    in_.read(buffer_, sizeof buffer_);
    at_ = 0;
    end_ = static_cast<std::size_t>(in_.gcount());
    return end_ > 0;
  }

  std::istream& in_;
  char buffer_[64 * 1024];
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::size_t token_ = 0;
  std::int64_t line_ = 1;
};

class Cursor {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  explicit Cursor(Input* input) : input_(input) {}
  char operator*() const { return input_->peek(); }
  Cursor& operator++() {
    input_->skip();
    return *this;
  }
  Cursor operator++(int) {
    Cursor before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const Cursor& a, const Cursor& b) { return a.ended() == b.ended(); }
  friend bool operator!=(const Cursor& a, const Cursor& b) { return !(a == b); }

 private:
  bool ended() const { return input_ == nullptr || input_->at_end(); }
  Input* input_;
};

/// Takes the events of the parser. False ends it; fault() then says why.
class Handler {
 public:
  Handler(Input& input, std::string_view list, const JsonRowTaker& taker)
      : input_(input), list_(list), taker_(taker) {}

  bool null() { return value("null"); }
  bool boolean(bool given) { return value(given ? "true" : "false"); }
  bool number_integer(std::int64_t given) { return value(std::to_string(given)); }
  bool number_unsigned(std::uint64_t given) { return value(std::to_string(given)); }
  bool number_float(double, const std::string& text) { return value(text); }
  bool string(std::string& text) { return value(text); }
  bool binary(nlohmann::json::binary_t&) { return refuse("binary values have no meaning here"); }

  bool start_object(std::size_t) {
    if (!deeper()) return false;
    if (depth_ == 1) top_.clear();
    if (depth_ == 3 && in_list_) element_.clear();
    return true;
  }
  bool key(std::string& name) {
    input_.begin_token();
    key_ = name;
    return true;
  }
  bool end_object() {
    const bool of_list = depth_ == 3 && in_list_;
    --depth_;
    if (of_list) return give(taker_.element, element_);
    return depth_ > 0 || give(taker_.object, top_);
  }
  bool start_array(std::size_t) {
    if (!deeper()) return false;
    if (depth_ == 1) return refuse("a row of objects {..} is expected, not a list");
    if (depth_ == 2) in_list_ = key_ == list_;
    return true;
  }
  bool end_array() {
    if (--depth_ == 1) in_list_ = false;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) {
    if (input_.too_long()) {
      return refuse(fmt::format("a value is longer than {} bytes", kJsonTokenMax),
                    ErrorCode::kLimitExceeded);
    }
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error ..."
    std::string_view text = error.what();
    if (const auto from = text.find("syntax error"); from != text.npos) text.remove_prefix(from);
    return refuse(std::string(shortened(text, 200)));
  }

  Error fault() const {
    return fault_.value_or(Error{ErrorCode::kInvalidArgument, "not JSON", ErrorSubject::kNone});
  }

 private:
  bool deeper() {
    input_.begin_token();
    if (++depth_ <= kJsonDepthMax) return true;
    return refuse(fmt::format("nested deeper than {}", kJsonDepthMax), ErrorCode::kLimitExceeded);
  }

  bool value(std::string text) {
    input_.begin_token();
    if (depth_ == 0) return refuse("a row of objects {..} is expected, not a single value");
    const bool in_element = depth_ == 3 && in_list_;
    if (depth_ == 2 && in_list_) return refuse(fmt::format("{} holds more than objects", list_));
    if (depth_ != 1 && !in_element) return true;  // of something that is skipped
    JsonMembers& members = in_element ? element_ : top_;
    if (members.size() >= kJsonMembersMax) {
      return refuse(fmt::format("an object has more than {} members", kJsonMembersMax),
                    ErrorCode::kLimitExceeded);
    }
    members.push_back({key_, std::move(text), input_.line()});
    return true;
  }

  bool give(const std::function<Result<void>(const JsonMembers&)>& take,
            const JsonMembers& members) {
    if (!take) return true;
    const auto taken = take(members);
    if (taken) return true;
    fault_ = taken.error();
    return false;
  }

  bool refuse(std::string text, ErrorCode code = ErrorCode::kInvalidArgument) {
    fault_ = Error{code, std::move(text), ErrorSubject::kNone};
    return false;
  }

  Input& input_;
  std::string_view list_;
  const JsonRowTaker& taker_;
  JsonMembers top_;
  JsonMembers element_;
  std::string key_;
  std::size_t depth_ = 0;
  bool in_list_ = false;
  std::optional<Error> fault_;
};

}  // namespace

Result<void> read_json_rows(std::istream& in, const std::string& name, std::string_view list,
                            const JsonRowTaker& taker) {
  const auto input = std::make_unique<Input>(in);
  while (input->more()) {
    Handler handler(*input, list, taker);
    constexpr bool kStrict = false;  // more objects may follow
    constexpr bool kComments = true;
    if (nlohmann::json::sax_parse(Cursor(input.get()), Cursor(nullptr), &handler,
                                  nlohmann::json::input_format_t::json, kStrict, kComments)) {
      continue;
    }
    Error fault = handler.fault();
    return fail(std::move(fault).within(fmt::format("{}:{}", name, input->line())));
  }
  if (input->too_long()) {
    return fail(ErrorCode::kLimitExceeded, fmt::format("{}:{}: more than {} blanks in a row", name,
                                                       input->line(), kJsonTokenMax));
  }
  if (in.bad()) return fail(ErrorCode::kUnavailable, name + ": cannot be read");
  return {};
}

}  // namespace heddle::sim
