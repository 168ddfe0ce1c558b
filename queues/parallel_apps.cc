// max-parallel-apps: how many applications of a queue, and of a user in all queues, run at a time.
#include "queues/scheduler_impl.h"

namespace heddle::queues {

std::int32_t Scheduler::Impl::parallel_limit(const UserName& user) const {
  const auto own = config_->maximum_parallel_apps_of_user.find(user.value());
  return own != config_->maximum_parallel_apps_of_user.end()
             ? own->second
             : config_->maximum_parallel_apps_per_user;
}

bool Scheduler::Impl::user_may_run(const UserName& user) const {
  const auto running = running_of_user_.find(user.value());
  return running == running_of_user_.end() || running->second < parallel_limit(user);
}

bool Scheduler::Impl::may_run(const App& app) const {
  for (const Queue* at = app.leaf; at != nullptr; at = at->parent) {
    if (at->running_apps >= at->spec.maximum_parallel_apps) return false;
  }
  return user_may_run(app.user_name);
}

void Scheduler::Impl::set_running(App& app, bool running) {
  if (std::exchange(app.running, running) == running) return;
  const std::int32_t change = running ? 1 : -1;
  for (Queue* at = app.leaf; at != nullptr; at = at->parent)
    at->running_apps += change;
  const auto count = running_of_user_.try_emplace(app.user_name.value(), 0).first;
  if ((count->second += change) == 0) running_of_user_.erase(count);
}

void Scheduler::Impl::set_held(App& app, bool held) {
  if (std::exchange(app.held, held) == held) return;
  if (held) {
    app.user->held.emplace(app.sequence, &app);
  } else {
    app.user->held.erase(app.sequence);
  }
  for (Queue* at = app.leaf; at != nullptr; at = at->parent)
    at->held_apps += held ? 1 : -1;
}

App* Scheduler::Impl::next_held(const Queue& queue) const {
  if (queue.held_apps == 0 || queue.running_apps >= queue.spec.maximum_parallel_apps) {
    return nullptr;
  }
  App* found = nullptr;
  const auto offer = [&found](App* app) {
    if (app != nullptr && (found == nullptr || app->sequence < found->sequence)) found = app;
  };
  for (const auto& child : queue.children)
    offer(next_held(*child));
  if (!queue.leaf) return found;
  for (const auto& [name, user] : queue.leaf->users) {
    if (!user->held.empty() && user_may_run(user->name)) offer(user->held.begin()->second);
  }
  return found;
}

// Costs a walk over the queues and users that hold somebody back, at the end of an application.
void Scheduler::Impl::let_held_run() {
  while (App* app = next_held(*root_)) {
    set_held(*app, false);
    const auto am = std::exchange(app->held_am, std::nullopt);
    am ? ask_for_am(*app, *am) : run_without_am(*app);
  }
}

/// Its AM needs no container.
void Scheduler::Impl::run_without_am(App& app) {
  set_running(app, true);
  activate(app);
}

}  // namespace heddle::queues
