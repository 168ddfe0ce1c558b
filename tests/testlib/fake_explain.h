// Explanations as a test wants them, with what was asked.
#pragma once

#include <optional>

#include "rm/api/explain.h"

namespace heddle::testlib {

class FakeExplain final : public rm::ExplainService {
 public:
  void explain_app(const AppId& app, rm::ExplainOptions options,
                   rm::ReplyTo<rm::Explanation> reply) override {
    asked = options;
    if (answer) answer->app = app;
    reply(answer);
  }
  void explain_request(rm::WhatIf what, rm::ExplainOptions options,
                       rm::ReplyTo<rm::Explanation> reply) override {
    asked = options;
    thought = std::move(what);
    reply(answer);
  }
  void activity(rm::ExplainOptions options, rm::ReplyTo<rm::QueueActivity> reply) override {
    asked = options;
    reply(root);
  }

  Result<rm::Explanation> answer = rm::Explanation{};
  Result<rm::QueueActivity> root = rm::QueueActivity{};
  rm::ExplainOptions asked;
  std::optional<rm::WhatIf> thought;
};

}  // namespace heddle::testlib
