#include "security/digest_md5.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace heddle::security {
namespace {

using ::testing::HasSubstr;

// Recorded between a Hadoop 3.4.2 ApplicationMaster and ResourceManager.
constexpr char kIdentifierHex[] = "0a0d0a09080210ebc9c286a03410011095fa92d0f9ffffffff01";
constexpr char kPasswordHex[] = "ddddee08a96da35cd293f5328d777bc20650ec59";
constexpr char kNonce[] = "BozyjVhW1nvPgzpOSkO3Hh+XKbXzR5BnxJpg2E83";
constexpr char kCnonce[] = "QHpzB6ysSQdPXH4tLr/xzncwXWEtKPvhxnudDxfq";
constexpr char kChallenge[] =
    R"(realm="default",nonce="BozyjVhW1nvPgzpOSkO3Hh+XKbXzR5BnxJpg2E83",qop="auth",charset=utf-8,algorithm=md5-sess)";
constexpr char kResponse[] =
    R"(charset=utf-8,username="Cg0KCQgCEOvJwoagNBABEJX6ktD5/////wE=",realm="default",nonce="BozyjVhW1nvPgzpOSkO3Hh+XKbXzR5BnxJpg2E83",nc=00000001,cnonce="QHpzB6ysSQdPXH4tLr/xzncwXWEtKPvhxnudDxfq",digest-uri="/default",maxbuf=65536,response=f634351c6388f752501823d083a40023,qop=auth)";
constexpr char kRspauth[] = "rspauth=d76c9f6567dbc0ee9c871ff0a81e835d";

Secret recorded_password() {
  return Secret(hex_decode(kPasswordHex).value());
}

Result<Secret> recorded_lookup(std::string_view identifier) {
  if (hex_encode(identifier) == kIdentifierHex) return recorded_password();
  return fail(ErrorCode::kNotFound, "no such token");
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(DigestMd5ServerTest, TheChallengeIsTheRecordedOne) {
  EXPECT_EQ(DigestMd5Server(kNonce).challenge(), kChallenge);
}

TEST(DigestMd5ServerTest, TheRecordedResponseIsAcceptedWithTheRecordedProof) {
  const auto success = DigestMd5Server(kNonce).evaluate(kResponse, recorded_lookup);
  ASSERT_TRUE(success.has_value()) << success.error().message;
  EXPECT_EQ(hex_encode(success->identifier), kIdentifierHex);
  EXPECT_EQ(success->rspauth, kRspauth);
}

TEST(DigestMd5ServerTest, TheOrderOfDirectivesDoesNotMatter) {
  const std::string text =
      R"(response=f634351c6388f752501823d083a40023, qop="auth" ,digest-uri="/default",nc=00000001,)"
      R"(cnonce="QHpzB6ysSQdPXH4tLr/xzncwXWEtKPvhxnudDxfq",nonce="BozyjVhW1nvPgzpOSkO3Hh+XKbXzR5BnxJpg2E83",)"
      R"(realm="de\fault",,USERNAME="Cg0KCQgCEOvJwoagNBABEJX6ktD5/////wE=")";
  const auto success = DigestMd5Server(kNonce).evaluate(text, recorded_lookup);
  EXPECT_TRUE(success.has_value()) << success.error().message;
}

TEST(DigestMd5ServerTest, AnUnknownTokenIsAboutTheToken) {
  const std::string text =
      replaced(kResponse, "Cg0KCQgCEOvJwoagNBABEJX6ktD5/////wE=", "Cg0KCQgCEOvJwoagNBABEJX6ktD5");
  const auto refused = DigestMd5Server(kNonce).evaluate(text, recorded_lookup);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(refused.error().subject, ErrorSubject::kToken);
}

struct BadResponse {
  const char* name;
  const char* from;
  const char* to;
  const char* message;
};
class BadResponseTest : public ::testing::TestWithParam<BadResponse> {};

TEST_P(BadResponseTest, IsRefused) {
  const auto& [name, from, to, message] = GetParam();
  const auto refused =
      DigestMd5Server(kNonce).evaluate(replaced(kResponse, from, to), recorded_lookup);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(refused.error().subject, ErrorSubject::kNone);
  EXPECT_THAT(refused.error().message, HasSubstr(message));
}

INSTANTIATE_TEST_SUITE_P(
    Responses, BadResponseTest,
    ::testing::Values(BadResponse{"WrongDigest", "response=f6", "response=f7", "password is wrong"},
                      BadResponse{"ShortDigest", "response=f6", "response=f", "32 hex"},
                      BadResponse{"OtherNonce", "nonce=\"Bozy", "nonce=\"bozy", "nonce"},
                      BadResponse{"OtherRealm", "realm=\"default\"", "realm=\"evil\"", "realm"},
                      BadResponse{"OtherUri", "digest-uri=\"/default\"", "digest-uri=\"/evil\"",
                                  "digest-uri"},
                      BadResponse{"SecondUse", "nc=00000001", "nc=00000002", "nc is"},
                      BadResponse{"Privacy", "qop=auth", "qop=auth-conf", "qop"},
                      BadResponse{"NoUser", "username=", "usernam=", "username is missing"},
                      BadResponse{"NoCnonce", "cnonce=", "cnonc=", "cnonce is missing"},
                      BadResponse{"UserIsNoBase64", "username=\"Cg0K", "username=\"*g0K", "base64"},
                      BadResponse{"Twice", "maxbuf=65536", "realm=default", "twice"},
                      BadResponse{"OpenQuote", ",qop=auth", ",qop=\"auth", "does not end"},
                      BadResponse{"OpenEscape", ",qop=auth", ",qop=\"auth\\", "does not end"},
                      BadResponse{"TextAfterQuote", "\"/default\"", "\"/default\"x", "follows"},
                      BadResponse{"NoEquals", "qop=auth", "qop", "'='"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(DigestMd5ServerTest, AnEndlessResponseIsRefusedByItsSize) {
  const auto refused = DigestMd5Server(kNonce).evaluate(std::string(100'000, 'a'), recorded_lookup);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("16384"));
}

TEST(DigestMd5ServerTest, NoncesHaveFortyCharactersAndDiffer) {
  EXPECT_EQ(DigestMd5Server::random_nonce().size(), 40U);
  EXPECT_NE(DigestMd5Server::random_nonce(), DigestMd5Server::random_nonce());
}

TEST(DigestMd5ClientTest, TheResponseIsTheRecordedOne) {
  DigestMd5Client client(hex_decode(kIdentifierHex).value(), recorded_password(), kCnonce);
  EXPECT_EQ(client.respond(kChallenge).value(), kResponse);
  EXPECT_TRUE(client.verify(kRspauth).has_value());
}

TEST(DigestMd5ClientTest, AServerThatCannotProveItselfIsRefused) {
  DigestMd5Client client("id", Secret("secret"), kCnonce);
  EXPECT_FALSE(client.verify("").has_value()) << "nothing was asked yet";
  ASSERT_TRUE(client.respond(kChallenge).has_value());
  EXPECT_FALSE(client.verify(kRspauth).has_value());
  EXPECT_FALSE(client.verify("").has_value());
}

TEST(DigestMd5ClientTest, AChallengeWithoutQopAuthIsRefused) {
  DigestMd5Client client("id", Secret("secret"), kCnonce);
  EXPECT_FALSE(client.respond(replaced(kChallenge, "\"auth\"", "\"auth-conf\"")).has_value());
}

TEST(DigestMd5ClientTest, APrivacyChallengeThatAlsoOffersAuthIsUsable) {
  DigestMd5Client client("id", Secret("secret"), kCnonce);
  EXPECT_TRUE(
      client.respond(replaced(kChallenge, "\"auth\"", "\"auth-conf,auth-int,auth\"")).has_value());
}

TEST(DigestMd5Test, ClientAndServerAgree) {
  const DigestMd5Server server(DigestMd5Server::random_nonce());
  DigestMd5Client client("any identifier", Secret("any password"), "c");
  const auto response = client.respond(server.challenge());
  const auto success = server.evaluate(
      *response, [](std::string_view) -> Result<Secret> { return Secret("any password"); });
  ASSERT_TRUE(success.has_value());
  EXPECT_TRUE(client.verify(success->rspauth).has_value());
}

}  // namespace
}  // namespace heddle::security
