// Why something waits: the question that users ask most.
#pragma once

#include "queues/explain.h"
#include "rm/api/door.h"

namespace heddle::rm {

using Explanation = queues::Explanation;
using QueueActivity = queues::QueueActivity;
using WhatIf = queues::WhatIf;
using Verdict = queues::Verdict;
using NodeVerdict = queues::NodeVerdict;

/// How much of an answer is wanted. `types` is filled in by the service.
using ExplainOptions = queues::ExplainOptions;

/// Answers come from the core's thread, a few at a time: what the core spends on one says
/// queues/explainer.h. kUnavailable: too many ask at once.
class ExplainService {
 public:
  virtual ~ExplainService() = default;
  /// kNotFound: no such application. Everybody may ask, as for its report.
  virtual void explain_app(const AppId& app, ExplainOptions options,
                           ReplyTo<Explanation> reply) = 0;
  /// What would become of it; the user may be another than the caller. Where the user may not
  /// submit, the verdict says so.
  virtual void explain_request(WhatIf what, ExplainOptions options, ReplyTo<Explanation> reply) = 0;
  /// The queues and who waits in them; a few of these.
  virtual void activity(ExplainOptions options, ReplyTo<QueueActivity> reply) = 0;
};

}  // namespace heddle::rm
