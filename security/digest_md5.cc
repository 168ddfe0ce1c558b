#include "security/digest_md5.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <initializer_list>
#include <map>

#include "base/bytes.h"
#include "base/text.h"

namespace heddle::security {
namespace {

constexpr std::string_view kRealm = "default";
constexpr std::string_view kDigestUri = "/default";
constexpr std::string_view kNonceCount = "00000001";
constexpr std::size_t kMessageMax = 16_KiB;
constexpr std::size_t kNonceBytes = 30;  // 40 base64 characters

using Directives = std::map<std::string, std::string, std::less<>>;

std::string md5(std::initializer_list<std::string_view> parts) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_md5(), nullptr);
  for (const std::string_view part : parts)
    EVP_DigestUpdate(context, part.data(), part.size());
  EVP_DigestFinal_ex(context, digest.data(), &length);
  EVP_MD_CTX_free(context);
  return {reinterpret_cast<const char*>(digest.data()), length};
}

Failure refused(std::string_view what) {
  return fail(ErrorCode::kUnauthenticated, fmt::format("DIGEST-MD5: {}", what));
}

/// `method` is "AUTHENTICATE" for the client's proof and "" for the server's.
std::string proof(std::string_view username, const Secret& password, std::string_view nonce,
                  std::string_view cnonce, std::string_view method) {
  const Secret password_text(base64_encode(password.reveal_bytes()));
  const Secret user_hash(md5({username, ":", kRealm, ":", password_text.reveal_bytes()}));
  const Secret ha1(hex_encode(md5({user_hash.reveal_bytes(), ":", nonce, ":", cnonce})));
  const std::string ha2 = hex_encode(md5({method, ":", kDigestUri}));
  return hex_encode(
      md5({ha1.reveal_bytes(), ":", nonce, ":", kNonceCount, ":", cnonce, ":auth:", ha2}));
}

class DirectiveParser {
 public:
  explicit DirectiveParser(std::string_view text) : rest_(text) {}

  Result<Directives> parse() {
    Directives directives;
    for (skip_separators(); !rest_.empty(); skip_separators()) {
      const std::size_t equals = rest_.find('=');
      if (equals == std::string_view::npos) return refused("a directive has no '='");
      const std::string key = to_lower(trim(rest_.substr(0, equals)));
      rest_.remove_prefix(equals + 1);
      auto text = value();
      if (!text) return fail(std::move(text).error());
      if (!directives.emplace(key, *std::move(text)).second) {
        return refused(fmt::format("directive {} comes twice", shortened(key, 20)));
      }
    }
    return directives;
  }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

  void skip_separators() {
    while (!rest_.empty() && (is_blank(rest_.front()) || rest_.front() == ',')) {
      rest_.remove_prefix(1);
    }
  }

  Result<std::string> value() {
    while (!rest_.empty() && is_blank(rest_.front()))
      rest_.remove_prefix(1);
    if (!rest_.empty() && rest_.front() == '"') return quoted();
    const std::size_t end = std::min(rest_.find(','), rest_.size());
    std::string text(trim(rest_.substr(0, end)));
    rest_.remove_prefix(end);
    return text;
  }

  Result<std::string> quoted() {
    std::string text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        while (!rest_.empty() && is_blank(rest_.front()))
          rest_.remove_prefix(1);
        if (!rest_.empty() && rest_.front() != ',') return refused("text follows a quoted string");
        return text;
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) break;
      text += rest_[i];
    }
    return refused("a quoted string does not end");
  }

  std::string_view rest_;
};

Result<Directives> parse_directives(std::string_view text) {
  if (text.size() > kMessageMax) {
    return refused(
        fmt::format("the message has {} bytes, the limit is {}", text.size(), kMessageMax));
  }
  return DirectiveParser(text).parse();
}

std::string_view get(const Directives& directives, std::string_view key) {
  const auto found = directives.find(key);
  return found == directives.end() ? std::string_view() : std::string_view(found->second);
}

Result<void> expect(const Directives& directives, std::string_view key, std::string_view wanted) {
  const std::string_view value = get(directives, key);
  if (value == wanted) return {};
  return refused(fmt::format("{} is \"{}\", expected \"{}\"", key, shortened(value, 40), wanted));
}

Result<void> check_response(const Directives& directives, std::string_view nonce) {
  if (get(directives, "nonce") != nonce)
    return refused("the nonce is not the one of the challenge");
  RETURN_IF_ERROR(expect(directives, "realm", kRealm));
  RETURN_IF_ERROR(expect(directives, "nc", kNonceCount));
  RETURN_IF_ERROR(expect(directives, "digest-uri", kDigestUri));
  if (directives.contains("qop")) RETURN_IF_ERROR(expect(directives, "qop", "auth"));
  if (get(directives, "username").empty()) return refused("username is missing");
  if (get(directives, "cnonce").empty()) return refused("cnonce is missing");
  if (get(directives, "response").size() != 32) return refused("response is not 32 hex digits");
  return {};
}

}  // namespace

DigestMd5Server::DigestMd5Server(std::string nonce) : nonce_(std::move(nonce)) {}

std::string DigestMd5Server::random_nonce() {
  return base64_encode(random_secret(kNonceBytes).reveal_bytes());
}

std::string DigestMd5Server::challenge() const {
  return fmt::format("realm=\"{}\",nonce=\"{}\",qop=\"auth\",charset=utf-8,algorithm=md5-sess",
                     kRealm, nonce_);
}

Result<DigestMd5Server::Success> DigestMd5Server::evaluate(std::string_view response,
                                                           const PasswordLookup& lookup) const {
  auto directives = parse_directives(response);
  if (!directives) return fail(std::move(directives).error());
  RETURN_IF_ERROR(check_response(*directives, nonce_));
  const std::string_view username = get(*directives, "username");
  const std::string_view cnonce = get(*directives, "cnonce");
  auto identifier = base64_decode(username);
  if (!identifier) return refused("username is not the base64 of a token identifier");

  auto password = lookup(*identifier);
  if (!password) {
    Error error = std::move(password).error();
    error.code = ErrorCode::kUnauthenticated;
    error.subject = ErrorSubject::kToken;
    return fail(std::move(error));
  }
  const Secret expected(proof(username, *password, nonce_, cnonce, "AUTHENTICATE"));
  if (!expected.equals(to_lower(get(*directives, "response")))) {
    return refused("the response does not match; the token's password is wrong");
  }
  return Success{*std::move(identifier),
                 "rspauth=" + proof(username, *password, nonce_, cnonce, "")};
}

DigestMd5Client::DigestMd5Client(std::string identifier, Secret password, std::string cnonce)
    : identifier_(std::move(identifier)),
      password_(std::move(password)),
      cnonce_(std::move(cnonce)) {}

Result<std::string> DigestMd5Client::respond(std::string_view challenge) {
  auto directives = parse_directives(challenge);
  if (!directives) return fail(std::move(directives).error());
  RETURN_IF_ERROR(expect(*directives, "realm", kRealm));
  RETURN_IF_ERROR(expect(*directives, "algorithm", "md5-sess"));
  const std::string_view nonce = get(*directives, "nonce");
  if (nonce.empty() || nonce.find_first_of("\"\\") != std::string_view::npos) {
    return refused("the challenge has no usable nonce");
  }
  if (directives->contains("qop")) {
    bool offered = false;
    for (const auto& qop : split_list(get(*directives, "qop")))
      offered = offered || qop == "auth";
    if (!offered) return refused("the server does not offer qop auth");
  }
  const std::string username = base64_encode(identifier_);
  expected_rspauth_ = "rspauth=" + proof(username, password_, nonce, cnonce_, "");
  return fmt::format(
      "charset=utf-8,username=\"{}\",realm=\"{}\",nonce=\"{}\",nc={},cnonce=\"{}\","
      "digest-uri=\"{}\",maxbuf=65536,response={},qop=auth",
      username, kRealm, nonce, kNonceCount, cnonce_, kDigestUri,
      proof(username, password_, nonce, cnonce_, "AUTHENTICATE"));
}

Result<void> DigestMd5Client::verify(std::string_view rspauth) const {
  if (expected_rspauth_.empty() || !Secret(expected_rspauth_).equals(rspauth)) {
    return refused("the server did not prove that it knows the token's password");
  }
  return {};
}

}  // namespace heddle::security
