// The text form of placement constraints, with parse_constraint().
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "queues/constraints.h"

namespace heddle::queues {
namespace {

constexpr std::size_t kConstraintTextMax = 65'536;

/// Reads from left to right; recursion is bounded by the depth a constraint may have.
class ConstraintReader {
 public:
  explicit ConstraintReader(std::string_view text) : text_(text) {}

  Result<Constraint> read_all() {
    auto out = read(1);
    if (!out) return out;
    skip_blanks();
    if (at_ < text_.size()) return fault("what follows belongs to nothing");
    RETURN_IF_ERROR(check(*out));
    return out;
  }

 private:
  Failure fault(std::string_view what) const {
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format("placement constraint '{}', column {}: {}", shortened(text_), at_ + 1, what),
        ErrorSubject::kResourceRequest);
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t'))
      ++at_;
  }
  bool take(char wanted) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  Result<Constraint> read(std::size_t depth) {
    if (depth > kConstraintDepthMax) return fault("it lies too deep within others");
    skip_blanks();
    const std::size_t end = std::min(text_.find_first_of(",(=!:)@", at_), text_.size());
    const std::string word = to_lower(trim(text_.substr(at_, end - at_)));
    if (end < text_.size() && text_[end] == '(') {
      at_ = end + 1;
      if (word == "and") return read_parts(Constraint::Kind::kAnd, depth);
      if (word == "or") return read_parts(Constraint::Kind::kOr, depth);
      if (word == "delayed-or") return read_parts(Constraint::Kind::kDelayedOr, depth);
      return fault("before ( stands and, or, delayed-or");
    }
    if (end < text_.size() && text_[end] == ',') {
      if (word == "in" || word == "notin" || word == "cardinality") return read_tags(word, end);
    }
    return read_attribute();
  }

  Result<Constraint> read_parts(Constraint::Kind kind, std::size_t depth) {
    Constraint out;
    out.kind = kind;
    do {
      if (out.parts.size() >= kConstraintPartsMax) return fault("it has too many parts");
      auto part = read(depth + 1);
      if (!part) return part;
      out.parts.push_back(*std::move(part));
      if (kind != Constraint::Kind::kDelayedOr) continue;
      if (!take('@')) return fault("@ and a delay are missing: 5s, 200ms, or a number of nodes");
      RETURN_IF_ERROR(read_delay(out.delays.emplace_back()));
    } while (take(':'));
    if (!take(')')) return fault(") is missing");
    return out;
  }

  Result<void> read_delay(Constraint::Delay& out) {
    const std::size_t end = std::min(text_.find_first_of(":)", at_), text_.size());
    std::string_view word = trim(text_.substr(at_, end - at_));
    std::int64_t unit_ms = 0;
    for (const auto& [suffix, ms] :
         {std::pair<std::string_view, std::int64_t>{"ms", 1}, {"s", 1000}, {"m", 60'000}}) {
      if (unit_ms > 0 || !word.ends_with(suffix)) continue;
      unit_ms = ms;
      word.remove_suffix(suffix.size());
    }
    const auto amount = parse_int(word);
    if (!amount || *amount < 0 || *amount > INT64_C(1'000'000'000'000)) {
      return fault("a delay is 5s, 200ms, 2m, or a number of nodes");
    }
    out.unit = unit_ms > 0 ? Constraint::Delay::Unit::kMilliseconds
                           : Constraint::Delay::Unit::kOpportunities;
    out.amount = unit_ms > 0 ? *amount * unit_ms : *amount;
    at_ = end;
    return {};
  }

  /// Everything up to where the constraint ends, between commas.
  std::vector<std::string> read_words() {
    const std::size_t end = std::min(text_.find_first_of(":)@", at_), text_.size());
    std::vector<std::string> words = split_list(text_.substr(at_, end - at_));
    at_ = end;
    return words;
  }

  Result<Constraint> read_tags(const std::string& kind, std::size_t end) {
    at_ = end + 1;
    const std::size_t start = at_;
    std::vector<std::string> words = read_words();
    const auto back_to_start = [&](std::string_view what) {
      at_ = start;
      return fault(what);
    };
    Constraint out;
    out.kind = Constraint::Kind::kTags;
    if (words.empty()) return back_to_start("node or rack, and a tag, are missing");
    const std::string scope = to_lower(words.front());
    if (scope != "node" && scope != "rack") return back_to_start("the scope is node or rack");
    out.scope = scope == "node" ? Constraint::Scope::kNode : Constraint::Scope::kRack;
    words.erase(words.begin());
    out.minimum = kind == "in" ? 1 : 0;
    out.maximum = kind == "notin" ? 0 : Constraint::kAnyNumber;
    if (kind == "cardinality") {
      const auto number = [&](std::size_t from_end) -> std::optional<std::int64_t> {
        if (words.size() < 3) return std::nullopt;
        const auto value = parse_int(words[words.size() - from_end]);
        return value && *value >= 0 && *value <= Constraint::kAnyNumber ? value : std::nullopt;
      };
      const auto minimum = number(2);
      const auto maximum = number(1);
      if (!minimum || !maximum) {
        return back_to_start("cardinality ends with a minimum and a maximum");
      }
      out.minimum = static_cast<std::int32_t>(*minimum);
      out.maximum = static_cast<std::int32_t>(*maximum);
      words.resize(words.size() - 2);
    }
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::size_t slash = words[i].rfind('/');
      const std::string_view owners = slash == std::string::npos
                                          ? std::string_view()
                                          : std::string_view(words[i]).substr(0, slash);
      Constraint own;
      if (const auto known = read_owners(owners, own); !known) {
        return back_to_start(known.error().message);
      }
      const bool same =
          own.owners == out.owners && own.app == out.app && own.app_tag == out.app_tag;
      if (i > 0 && !same) return back_to_start("all its tags are of the same applications");
      out.owners = own.owners;
      out.app = own.app;
      out.app_tag = own.app_tag;
      const std::string_view word = words[i];
      out.values.emplace_back(slash == std::string::npos ? word : trim(word.substr(slash + 1)));
    }
    if (out.values.empty()) return back_to_start("a tag is missing");
    return out;
  }

  Result<Constraint> read_attribute() {
    const std::size_t end = std::min(text_.find_first_of("=!:)@(", at_), text_.size());
    Constraint out;
    out.kind = Constraint::Kind::kAttribute;
    out.key = trim(text_.substr(at_, end - at_));
    if (out.key.empty()) return fault("a constraint is missing");
    at_ = end;
    out.equal = !take('!');
    if (!take('=')) {
      return fault("a constraint begins with in, notin, cardinality, and(, or(, or is key=value");
    }
    out.values = read_words();
    if (out.key == "yarn_node_partition/") {
      if (!out.equal || out.values.size() > 1) return fault("one node partition is to be named");
      out.kind = Constraint::Kind::kPartition;
      out.key.clear();
      out.values.resize(1);
      return out;
    }
    if (out.values.empty()) return fault("a value is missing");
    if (out.key.find('/') == std::string::npos) out.key = "rm.yarn.io/" + out.key;
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Constraint> parse_constraint(std::string_view text) {
  if (text.size() > kConstraintTextMax) {
    return fail(ErrorCode::kLimitExceeded,
                fmt::format("a placement constraint of {} bytes; {} are the most", text.size(),
                            kConstraintTextMax),
                ErrorSubject::kResourceRequest);
  }
  return ConstraintReader(text).read_all();
}

}  // namespace heddle::queues
