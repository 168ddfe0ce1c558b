#include "compat/ipc/negotiation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"

namespace heddle::compat::ipc {
namespace {

using ::testing::HasSubstr;
using State = hc::RpcSaslProto;

constexpr char kNonce[] = "BozyjVhW1nvPgzpOSkO3Hh+XKbXzR5BnxJpg2E83";

Negotiation::Rules rules(bool simple, bool token) {
  Negotiation::Rules rules;
  rules.simple_allowed = simple;
  rules.nonce = [] { return std::string(kNonce); };
  if (token) {
    rules.token_login = [](std::string_view identifier) -> Result<TokenLogin> {
      if (identifier != "id") return fail(ErrorCode::kUnauthenticated, "no such token");
      TokenLogin login;
      login.password = security::Secret("secret");
      login.caller.user = "bob";
      return login;
    };
  }
  return rules;
}

hc::RpcSaslProto message(State::SaslState state) {
  hc::RpcSaslProto message;
  message.set_state(state);
  return message;
}

/// The client's answer to an offer, as a Java client builds it.
hc::RpcSaslProto initiate(const hc::RpcSaslProto& offer, int index, const std::string& identifier,
                          const std::string& password) {
  hc::RpcSaslProto reply = message(State::INITIATE);
  *reply.add_auths() = offer.auths(index);
  reply.mutable_auths(0)->clear_challenge();
  if (offer.auths(index).method() == "TOKEN") {
    security::DigestMd5Client client(identifier, security::Secret(password), "cnonce");
    reply.set_token(client.respond(offer.auths(index).challenge()).value());
  }
  return reply;
}

TEST(NegotiationTest, WithoutTokensTheServerSaysSuccessAtOnce) {
  Negotiation negotiation(rules(true, false));
  const auto reply = negotiation.handle(message(State::NEGOTIATE));
  EXPECT_EQ((*reply)->SerializeAsString(), std::string("\x10\x00", 2));
  EXPECT_EQ(negotiation.login(), Negotiation::Login::kSimple);
}

TEST(NegotiationTest, TokenComesBeforeSimple) {
  Negotiation negotiation(rules(true, true));
  const auto reply = negotiation.handle(message(State::NEGOTIATE));
  ASSERT_EQ((*reply)->auths_size(), 2);
  EXPECT_EQ((*reply)->auths(0).method(), "TOKEN");
  EXPECT_EQ((*reply)->auths(1).method(), "SIMPLE");
  EXPECT_FALSE(negotiation.done());
}

TEST(NegotiationTest, SimpleIsChosenWithoutAnAnswer) {
  Negotiation negotiation(rules(true, true));
  const auto offer = negotiation.handle(message(State::NEGOTIATE));
  const auto reply = negotiation.handle(initiate(**offer, 1, "", ""));
  ASSERT_TRUE(reply.has_value());
  EXPECT_FALSE(reply->has_value());
  EXPECT_EQ(negotiation.login(), Negotiation::Login::kSimple);
}

TEST(NegotiationTest, AGoodTokenProvesTheCaller) {
  Negotiation negotiation(rules(false, true));
  const auto offer = negotiation.handle(message(State::NEGOTIATE));
  const auto reply = negotiation.handle(initiate(**offer, 0, "id", "secret"));
  ASSERT_TRUE(reply.has_value()) << reply.error().message;
  EXPECT_EQ((*reply)->state(), State::SUCCESS);
  EXPECT_EQ(negotiation.login(), Negotiation::Login::kProven);
  EXPECT_EQ(negotiation.caller().user, "bob");
}

TEST(NegotiationTest, AnUnknownTokenIsInvalidToken) {
  Negotiation negotiation(rules(false, true));
  const auto offer = negotiation.handle(message(State::NEGOTIATE));
  const auto reply = negotiation.handle(initiate(**offer, 0, "other", "secret"));
  ASSERT_FALSE(reply.has_value());
  EXPECT_STREQ(reply.error().class_name, java::kInvalidToken);
  EXPECT_EQ(reply.error().message, "no such token");
}

TEST(NegotiationTest, AWrongPasswordIsASaslException) {
  Negotiation negotiation(rules(false, true));
  const auto offer = negotiation.handle(message(State::NEGOTIATE));
  const auto reply = negotiation.handle(initiate(**offer, 0, "id", "wrong"));
  ASSERT_FALSE(reply.has_value());
  EXPECT_STREQ(reply.error().class_name, java::kSaslException);
  EXPECT_FALSE(negotiation.done());
}

TEST(NegotiationTest, ATokenIsNotTakenWithAnEditedOffer) {
  Negotiation negotiation(rules(false, true));
  const auto offer = negotiation.handle(message(State::NEGOTIATE));
  auto reply = initiate(**offer, 0, "id", "secret");
  reply.mutable_auths(0)->set_serverid("other");
  const auto refused = negotiation.handle(reply);
  ASSERT_FALSE(refused.has_value());
  EXPECT_STREQ(refused.error().class_name, java::kAccessControl);
}

TEST(NegotiationTest, AnUnknownMechanismBeforeTheOfferIsAnsweredWithTheOffer) {
  Negotiation negotiation(rules(false, true));
  auto unknown = message(State::INITIATE);
  unknown.add_auths()->set_method("KERBEROS");
  unknown.mutable_auths(0)->set_mechanism("GSSAPI");
  const auto offer = negotiation.handle(unknown);
  ASSERT_TRUE(offer.has_value());
  EXPECT_EQ((*offer)->state(), State::NEGOTIATE);
  const auto refused = negotiation.handle(unknown);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("[TOKEN]"));
}

TEST(NegotiationTest, SimpleIsRefusedWhereOnlyTokensAreTaken) {
  Negotiation negotiation(rules(false, true));
  ASSERT_TRUE(negotiation.handle(message(State::NEGOTIATE)).has_value());
  auto simple = message(State::INITIATE);
  simple.add_auths()->set_method("SIMPLE");
  simple.mutable_auths(0)->set_mechanism("");
  EXPECT_FALSE(negotiation.handle(simple).has_value());
  EXPECT_FALSE(negotiation.done());
}

struct OutOfOrder {
  const char* name;
  std::vector<State::SaslState> states;
};
class OutOfOrderTest : public ::testing::TestWithParam<OutOfOrder> {};

TEST_P(OutOfOrderTest, IsUnauthorizedAndNamesWhatIsOffered) {
  Negotiation negotiation(rules(true, true));
  const auto& states = GetParam().states;
  for (std::size_t i = 0; i + 1 < states.size(); ++i) {
    ASSERT_TRUE(negotiation.handle(message(states[i])).has_value());
  }
  const auto refused = negotiation.handle(message(states.back()));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().detail, hc::RpcResponseHeaderProto::FATAL_UNAUTHORIZED);
  EXPECT_THAT(refused.error().message, HasSubstr("[TOKEN, SIMPLE]"));
}

INSTANTIATE_TEST_SUITE_P(
    Steps, OutOfOrderTest,
    ::testing::Values(OutOfOrder{"NegotiateTwice", {State::NEGOTIATE, State::NEGOTIATE}},
                      OutOfOrder{"ResponseFirst", {State::RESPONSE}},
                      OutOfOrder{"ResponseAfterOffer", {State::NEGOTIATE, State::RESPONSE}},
                      OutOfOrder{"SuccessFromClient", {State::SUCCESS}},
                      OutOfOrder{"ChallengeFromClient", {State::NEGOTIATE, State::CHALLENGE}},
                      OutOfOrder{"WrapEarly", {State::NEGOTIATE, State::WRAP}},
                      OutOfOrder{"InitiateOfNothing", {State::NEGOTIATE, State::INITIATE}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(NegotiationTest, NothingIsTakenAfterTheEnd) {
  Negotiation negotiation(rules(true, false));
  ASSERT_TRUE(negotiation.handle(message(State::NEGOTIATE)).has_value());
  EXPECT_FALSE(negotiation.handle(message(State::NEGOTIATE)).has_value());
}

TEST(NegotiationTest, ATokenOfTenMebibytesIsRefused) {
  Negotiation negotiation(rules(true, true));
  auto big = message(State::INITIATE);
  big.set_token(std::string(10_MiB, 'x'));
  const auto refused = negotiation.handle(big);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("65536"));
}

}  // namespace
}  // namespace heddle::compat::ipc
