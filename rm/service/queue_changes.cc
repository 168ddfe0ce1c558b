// Changes of the queues as transactions: checked as a whole, put into force on the core's thread,
// kept, then answered.
#include <fmt/core.h>

#include <algorithm>
#include <future>

#include "base/log.h"
#include "base/text.h"
#include "rm/service/resource_manager.h"

namespace heddle::rm {
namespace {

constexpr std::string_view kNotAdminOfQueues = "User is not admin of all modified queues.";

Error too_busy(const Error& why) {
  return {ErrorCode::kUnavailable, why.message};
}

Failure all_faults(const std::vector<std::string>& faults) {
  return fail(ErrorCode::kInvalidArgument, join(faults, "\n"), ErrorSubject::kQueue);
}

/// Sums that are off because a queue could not be added or removed say nothing new.
bool follows_from_others(std::string_view fault) {
  return fault.find("Illegal capacity of") != fault.npos;
}

std::string described(const QueueChange& change) {
  if (change.to_version && change.change.empty()) {
    return fmt::format("roll back to version {}", *change.to_version);
  }
  return queues::describe(change.change);
}

using ReportsByPath = std::map<std::string_view, const QueueReport*>;

void collect(const QueueReport& queue, ReportsByPath& into) {
  into.emplace(queue.path.value(), &queue);
  for (const QueueReport& child : queue.children)
    collect(child, into);
}

QueueVersion without_settings(QueueVersion version) {
  version.settings = nullptr;
  return version;
}

}  // namespace

// --- who may -------------------------------------------------------------------------------------

void ResourceManager::when_allowed(const security::Caller& caller, RightsRule rule,
                                   ReplyTo<void> next) {
  if (rule(GroupNames{})) return next({});
  user_groups_->find(caller.user, [rule = std::move(rule),
                                   next = std::move(next)](const Result<GroupNames>& groups) {
    next(groups ? rule(*groups) : Result<void>(fail(groups.error())));
  });
}

bool ResourceManager::administers_way_to(const security::Caller& caller, std::string_view queue,
                                         const GroupNames& groups) const {
  // A queue that is not there yet is for those who administer the nearest one above it.
  const QueueReportPtr root = board_.queues();
  ReportsByPath known;
  collect(*root, known);
  while (!known.contains(queue)) {
    const auto dot = queue.rfind('.');
    if (dot == queue.npos) return false;
    queue = queue.substr(0, dot);
  }
  return may_administer(caller, std::string(queue), groups);
}

Result<void> ResourceManager::check_may_change(const security::Caller& caller,
                                               const QueueChange& change,
                                               const GroupNames& groups) const {
  if (options_.admins.allows(caller.user, groups)) return {};
  const Failure not_of_all = fail(ErrorCode::kPermissionDenied, std::string(kNotAdminOfQueues));
  if (!options_.queues.queue_admins_may_change) {
    if (!options_.acl_enabled) return not_of_all;
    return fail(ErrorCode::kPermissionDenied, "Only admins can carry out this operation.");
  }
  const queues::ConfigChange& wanted = change.change;
  if (change.to_version || wanted.replace || !wanted.global.empty()) return not_of_all;
  const auto may = [&](std::string_view queue) {
    return administers_way_to(caller, queue, groups);
  };
  const auto may_all = [&](const std::vector<queues::QueueUpdate>& list) {
    return std::ranges::all_of(list, may, &queues::QueueUpdate::queue);
  };
  if (!std::ranges::all_of(wanted.remove, may) || !may_all(wanted.add) || !may_all(wanted.update)) {
    return not_of_all;
  }
  return {};
}

Result<void> ResourceManager::check_may_read(const security::Caller& caller,
                                             const GroupNames& groups) const {
  if (!options_.acl_enabled || options_.admins.allows(caller.user, groups)) return {};
  return fail(ErrorCode::kPermissionDenied, "Only admins can carry out this operation.");
}

void ResourceManager::check_may_read_queues(const security::Caller& caller, ReplyTo<void> reply) {
  when_allowed(
      caller, [this, caller](const GroupNames& groups) { return check_may_read(caller, groups); },
      std::move(reply));
}

// --- what is in force ----------------------------------------------------------------------------

ResourceManager::ServedQueues ResourceManager::served_queues() const {
  const std::scoped_lock lock(queues_mutex_);
  return queues_;
}

QueueConfigState ResourceManager::queue_config() const {
  const std::scoped_lock lock(queues_mutex_);
  return queues_.state;
}

void ResourceManager::read_store(std::function<void(Store*)> read) {
  {
    const std::scoped_lock lock(groups_mutex_);
    if (!writer_stopping_) {
      groups_.emplace_back().reads.push_back(std::move(read));
      groups_arrived_.notify_one();
      return;
    }
  }
  read(nullptr);
}

void ResourceManager::queue_history(const security::Caller& caller,
                                    ReplyTo<std::vector<QueueVersion>> reply) {
  check_may_read_queues(caller, [this, reply = std::move(reply)](const Result<void>& allowed) {
    if (!allowed) return reply(fail(allowed.error()));
    read_store([this, reply](Store* store) {
      if (store == nullptr) return reply(fail(ErrorCode::kUnavailable, "stopping; try again"));
      auto versions = store->queue_versions();
      if (!versions) return reply(std::move(versions));
      for (const QueueVersion& version : served_queues().earlier)
        versions->insert(versions->begin(), without_settings(version));
      reply(std::move(versions));
    });
  });
}

void ResourceManager::queue_version(const security::Caller& caller, std::int64_t number,
                                    ReplyTo<QueueVersion> reply) {
  check_may_read_queues(caller,
                        [this, number, reply = std::move(reply)](const Result<void>& allowed) {
                          if (!allowed) return reply(fail(allowed.error()));
                          const ServedQueues served = served_queues();
                          for (const QueueVersion& version : served.earlier) {
                            if (version.number == number) return reply(version);
                          }
                          if (served.state.version.number == number)
                            return reply(served.state.version);
                          read_store([number, reply](Store* store) {
                            if (store == nullptr)
                              return reply(fail(ErrorCode::kUnavailable, "stopping; try again"));
                            reply(store->queue_version(number));
                          });
                        });
}

Result<QueueSettings> ResourceManager::version_settings(std::int64_t number) {
  const ServedQueues served = served_queues();
  for (const QueueVersion& version : served.earlier) {
    if (version.number == number) return *version.settings;
  }
  if (served.state.version.number == number) return *served.state.version.settings;
  if (auto why = behind()) return fail(*std::move(why));
  std::promise<Result<QueueVersion>> came;
  read_store([&](Store* store) {
    came.set_value(store == nullptr
                       ? Result<QueueVersion>(fail(ErrorCode::kUnavailable, "stopping; try again"))
                       : store->queue_version(number));
  });
  auto version = came.get_future().get();
  if (!version) return fail(std::move(version).error());
  return *version->settings;
}

// --- changing it ---------------------------------------------------------------------------------

void ResourceManager::post_change(std::function<void()> work, const ReplyTo<void>& refused) {
  if (auto why = behind()) return refused(fail(*std::move(why)));
  if (const auto posted = files_.post(std::move(work)); !posted) {
    refused(fail(too_busy(posted.error())));
  }
}

void ResourceManager::change_queues(const security::Caller& caller, QueueChange change,
                                    ReplyTo<QueueChangeOutcome> reply) {
  if (options_.queues.store == QueueStore::kFile && !change.dry_run) {
    return reply(fail(ErrorCode::kUnsupported,
                      "Configuration change only supported by mutable configuration store."));
  }
  const auto asked = std::make_shared<const QueueChange>(std::move(change));
  when_allowed(
      caller,
      [this, caller, asked](const GroupNames& groups) {
        return asked->dry_run ? check_may_read(caller, groups)
                              : check_may_change(caller, *asked, groups);
      },
      [this, user = caller.user, asked, reply = std::move(reply)](const Result<void>& allowed) {
        if (!allowed) return reply(fail(allowed.error()));
        post_change([this, user, asked, reply] { make_change(user, *asked, reply); },
                    [reply](const Result<void>& why) { reply(fail(why.error())); });
      });
}

void ResourceManager::make_change(const std::string& user, const QueueChange& change,
                                  const ReplyTo<QueueChangeOutcome>& reply) {
  auto next = next_queues(user, change);
  if (!next) return reply(fail(std::move(next).error()));
  put_into_force(*std::move(next), reply);
}

Result<ResourceManager::NextQueues> ResourceManager::next_queues(const std::string& user,
                                                                 const QueueChange& change) {
  const ServedQueues served = served_queues();
  queues::ConfigChange wanted = change.change;
  if (change.to_version) {
    auto settings = version_settings(*change.to_version);
    if (!settings) return fail(std::move(settings).error());
    wanted.replace = *std::move(settings);
  }
  if (!options_.queues.parse) return fail(ErrorCode::kUnsupported, "nothing reads settings here");
  const QueueSettings none;
  const QueueVersion& now = served.state.version;
  auto changed = queues::apply_change(now.settings ? *now.settings : none, wanted);
  auto config = options_.queues.parse(changed.settings);
  if (!config) {
    for (std::string& fault : split_list(config.error().message, '\n')) {
      if (changed.faults.empty() || !follows_from_others(fault)) {
        changed.faults.push_back(std::move(fault));
      }
    }
  }
  if (!changed.faults.empty()) return all_faults(changed.faults);
  // Of the files, which a change of the queues does not read.
  if (served.config && served.config->preemption) config->preemption = served.config->preemption;
  NextQueues next;
  next.version.number = now.number + 1;
  next.version.user = user;
  next.version.change = described(change);
  next.version.settings = std::make_shared<const QueueSettings>(std::move(changed.settings));
  next.config = std::make_shared<const queues::QueueConfig>(*std::move(config));
  next.dry_run = change.dry_run;
  next.outcome.version = change.dry_run ? now.number : next.version.number;
  next.outcome.settings = next.version.settings;
  next.outcome.warnings = next.config->warnings;
  if (change.with_diff) {
    next.outcome.diff = queues::diff_configs({now.settings ? *now.settings : none, *served.config},
                                             {*next.version.settings, *next.config},
                                             options_.queues.limits, board_.metrics().total);
    next.outcome.shrinks = shrinks_of(next.outcome.diff);
  }
  return next;
}

std::vector<QueueShrink> ResourceManager::shrinks_of(const QueueConfigDiff& diff) const {
  const QueueReportPtr root = board_.queues();
  ReportsByPath reports;
  collect(*root, reports);
  std::vector<QueueShrink> out;
  for (const queues::QueueDiff& queue : diff.queues) {
    const auto report = reports.find(queue.path);
    if (!queue.before || !queue.after || report == reports.end()) continue;
    const Resources& used = report->second->used;
    const queues::QueueShare& after = *queue.after;
    const bool above_maximum = !used.fits_in(after.maximum);
    const bool falls_behind =
        used.fits_in(queue.before->guaranteed) && !used.fits_in(after.guaranteed);
    if (used.is_zero() || (!above_maximum && !falls_behind)) continue;
    out.push_back(
        {queue.path, used, after.guaranteed, after.maximum, report->second->apps, above_maximum});
  }
  return out;
}

void ResourceManager::put_into_force(NextQueues next, const ReplyTo<QueueChangeOutcome>& reply) {
  auto over = std::make_shared<std::promise<void>>();
  auto done = over->get_future();
  const auto shared = std::make_shared<NextQueues>(std::move(next));
  CommandPtr command = make_command([this, shared, reply, over](Core& core, Turn& turn) {
    NextQueues& wanted = *shared;
    auto answer = Result<QueueChangeOutcome>(std::move(wanted.outcome));
    const auto faults =
        queues::transition_faults(core.scheduler(), *wanted.config, *wanted.version.settings);
    if (!faults.empty()) answer = all_faults(faults);
    if (answer && !wanted.dry_run) {
      if (auto configured = core.configure_queues(wanted.config, turn); !configured) {
        answer = fail(std::move(configured).error());
      }
    }
    const bool in_force = answer && !wanted.dry_run;
    if (in_force) {
      wanted.version.since = turn.now.wall;
      const bool to_disk = wanted.version.from_file || options_.queues.store != QueueStore::kMemory;
      if (wanted.keep && to_disk) {
        turn.effects.records.push_back(SaveQueues{wanted.version, options_.queues.versions_max});
      }
      const std::scoped_lock lock(queues_mutex_);
      queues_.state.fault = wanted.fault;
      queues_.config = wanted.config;
      if (wanted.keep) {
        queues_.state.version = wanted.version;
        if (!to_disk) queues_.earlier.push_back(wanted.version);
        while (static_cast<std::int64_t>(queues_.earlier.size()) > options_.queues.versions_max)
          queues_.earlier.erase(queues_.earlier.begin());
      }
    }
    totals_due_ = true;  // rights are judged by the queues that are shown
    if (in_force) {
      turn.reply_when_durable(reply, std::move(answer));
    } else {
      turn.effects.replies.push_back([reply, answer = std::move(answer)] { reply(answer); });
    }
    over->set_value();
  });
  if (!enqueue(command)) {
    return reply(
        fail(ErrorCode::kUnavailable, "the ResourceManager is overloaded or stopping; try again"));
  }
  done.wait();  // the next change starts from this one
}

// --- the file ------------------------------------------------------------------------------------

void ResourceManager::load_file_again(const std::string& user, const std::string& what,
                                      bool as_store, const ReplyTo<void>& reply) {
  if (!options_.load_queues) {
    return reply(fail(ErrorCode::kUnsupported, "nothing is there to be read again"));
  }
  auto loaded = options_.load_queues();
  if (!loaded) return reply(fail(std::move(loaded).error()));
  const QueueConfigState served = queue_config();
  NextQueues next;
  next.version.number = served.version.number + 1;
  next.version.user = user;
  next.version.change = what;
  next.version.from_file = !as_store;
  next.keep = as_store || served.version.settings == nullptr ||
              *served.version.settings != loaded->settings;
  next.version.settings = std::make_shared<const QueueSettings>(std::move(loaded->settings));
  next.config = std::make_shared<const queues::QueueConfig>(std::move(loaded->config));
  put_into_force(std::move(next), [reply](const Result<QueueChangeOutcome>& outcome) {
    reply(outcome ? Result<void>() : Result<void>(fail(outcome.error())));
  });
}

void ResourceManager::refresh_queues(const security::Caller& caller, ReplyTo<void> reply) {
  check_admin(caller, [this, user = caller.user,
                       reply = std::move(reply)](const Result<void>& allowed) {
    if (!allowed) return reply(allowed);
    if (options_.queues.store == QueueStore::kFile) {
      post_change([this, user, reply] { load_file_again(user, "refresh", false, reply); }, reply);
      return;
    }
    // The file does not rule here: what is kept is read again, beside the other settings.
    post_change(
        [this, user, reply] {
          const auto next = next_queues(user, QueueChange{});
          if (!next) return reply(fail(next.error()));
          NextQueues again = *next;
          again.keep = false;
          if (options_.load_preemption) {
            const auto preemption = options_.load_preemption();
            if (!preemption) return reply(fail(preemption.error()));
            queues::QueueConfig config = *again.config;
            config.preemption = *preemption;
            again.config = std::make_shared<const queues::QueueConfig>(std::move(config));
          }
          put_into_force(std::move(again), [reply](const Result<QueueChangeOutcome>& outcome) {
            reply(outcome ? Result<void>() : Result<void>(fail(outcome.error())));
          });
        },
        reply);
  });
}

void ResourceManager::reload_queues(const std::string& why, const ReplyTo<void>& reply) {
  post_change([this, why, reply] { load_file_again("", why, false, reply); }, reply);
}

void ResourceManager::reset_queues(const security::Caller& caller, ReplyTo<void> reply) {
  if (options_.queues.store == QueueStore::kFile) {
    return reply(fail(ErrorCode::kUnsupported,
                      "Scheduler Configuration format only supported by MutableConfScheduler."));
  }
  when_allowed(
      caller,
      [this, caller](const GroupNames& groups) -> Result<void> {
        if (options_.admins.allows(caller.user, groups)) return {};
        return fail(ErrorCode::kPermissionDenied, "Only admins can carry out this operation.");
      },
      [this, user = caller.user, reply = std::move(reply)](const Result<void>& allowed) {
        if (!allowed) return reply(allowed);
        post_change([this, user, reply] { load_file_again(user, "format: the file", true, reply); },
                    reply);
      });
}

}  // namespace heddle::rm
