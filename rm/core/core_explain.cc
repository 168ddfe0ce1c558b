// What an application waits for: where it is in its life, and what the scheduler says.
#include <fmt/core.h>

#include "queues/explain.h"
#include "rm/core/core.h"

namespace heddle::rm {
namespace {

void settle(queues::Wait& wait, queues::Verdict verdict, std::string sentence, std::string action) {
  wait.verdict = verdict;
  wait.sentence = std::move(sentence);
  wait.action = std::move(action);
}

}  // namespace

Result<queues::Explanation> Core::explain(const AppId& id,
                                          const queues::ExplainOptions& options) const {
  const auto found = apps_.find(id);
  if (found == apps_.end()) {
    return fail(ErrorCode::kNotFound, fmt::format("app with id: {} not found", to_string(id)),
                ErrorSubject::kApplication);
  }
  const App& app = found->second;
  const bool ends = app.state == AppState::kKilling || app.state == AppState::kFinalSaving;
  auto out = app.in_scheduler && !ends ? scheduler_.explain(id, options) : std::nullopt;
  if (!out) {
    out.emplace();
    out->app = id;
    out->queue = QueuePath(app.queue);
    out->user = UserName(app.user);
    out->priority = app.priority;
    if (is_final(app.state)) {
      settle(out->wait, queues::Verdict::kEnded,
             fmt::format("it waits for nothing: it is {}", to_string(app.state)), "none is needed");
    } else {
      settle(out->wait, queues::Verdict::kBeingSaved,
             "it is not in its queue: its submission, or its end, is being saved",
             "wait; if it lasts, see the log of the ResourceManager");
    }
    return *std::move(out);
  }
  const Attempt* attempt = app.current();
  const bool starts = out->wait.verdict == queues::Verdict::kNothingWaits && attempt != nullptr &&
                      attempt->master_container && !attempt->registered;
  if (starts) {
    settle(out->wait, queues::Verdict::kMasterStarts,
           fmt::format("its ApplicationMaster has a container on {} and has not registered yet",
                       to_string(attempt->master_node)),
           fmt::format("see its log: `heddle app logs {}`", to_string(id)));
    out->wait.scope = to_string(attempt->master_node);
  }
  return *std::move(out);
}

}  // namespace heddle::rm
