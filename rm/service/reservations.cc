// Reservations on their way to the core.
#include "rm/api/reservations.h"

#include <utility>

#include "rm/service/resource_manager.h"
#include "security/acl.h"

namespace heddle::rm {

Result<ReservationId> ResourceManager::new_reservation_id() {
  if (!reservations_.enabled) {
    return fail(ErrorCode::kUnsupported, kReservationsOff, ErrorSubject::kReservation);
  }
  return ReservationId{cluster_start_ms_, ++last_reservation_};
}

/// Lists of queues name groups, and which queue it is the core knows: groups come first.
template <class T>
void ResourceManager::with_lists(const security::Caller& caller, ReplyTo<T> reply,
                                 std::function<void(ReplyTo<T>, OnList)> next) {
  if (!reservations_.acls) return next(std::move(reply), OnList());
  user_groups_->find(caller.user, [user = caller.user, reply = std::move(reply),
                                   next = std::move(next)](const Result<GroupNames>& groups) {
    if (!groups) return reply(fail(groups.error()));
    next(reply, [user, groups = *groups](const std::string& list) {
      return security::Acl::parse(list).allows(user, groups);
    });
  });
}

template <class T, class Run>
void ResourceManager::run_reservation(const security::Caller& caller, ReplyTo<T> reply, Run run) {
  with_lists<T>(caller, std::move(reply),
                [this, caller, run = std::move(run)](ReplyTo<T> allowed, const OnList& on_list) {
                  if (auto why = behind()) return allowed(fail(*std::move(why)));
                  CommandPtr command =
                      make_command([caller, allowed, on_list, run](Core& core, Turn& turn) {
                        run(core, caller, on_list, allowed, turn);
                      });
                  if (!enqueue(command)) {
                    allowed(fail(ErrorCode::kUnavailable,
                                 "the ResourceManager is overloaded or stopping; try again"));
                  }
                });
}

void ResourceManager::submit_reservation(const security::Caller& caller, SubmitReservation request,
                                         ReplyTo<void> reply) {
  run_reservation<void>(
      caller, std::move(reply),
      [request = std::move(request)](Core& core, const security::Caller& by, const OnList& on_list,
                                     const ReplyTo<void>& answer, Turn& turn) {
        core.submit_reservation(by, on_list, request, answer, turn);
      });
}

void ResourceManager::update_reservation(const security::Caller& caller, UpdateReservation request,
                                         ReplyTo<void> reply) {
  run_reservation<void>(
      caller, std::move(reply),
      [request = std::move(request)](Core& core, const security::Caller& by, const OnList& on_list,
                                     const ReplyTo<void>& answer, Turn& turn) {
        core.update_reservation(by, on_list, request, answer, turn);
      });
}

void ResourceManager::delete_reservation(const security::Caller& caller,
                                         std::optional<ReservationId> id, ReplyTo<void> reply) {
  run_reservation<void>(caller, std::move(reply),
                        [id](Core& core, const security::Caller& by, const OnList& on_list,
                             const ReplyTo<void>& answer, Turn& turn) {
                          core.delete_reservation(by, on_list, id, answer, turn);
                        });
}

void ResourceManager::list_reservations(const security::Caller& caller, ListReservations request,
                                        ReplyTo<ReservationList> reply) {
  run_reservation<ReservationList>(
      caller, std::move(reply),
      [request = std::move(request)](Core& core, const security::Caller& by, const OnList& on_list,
                                     const ReplyTo<ReservationList>& answer, Turn& turn) {
        auto list = core.list_reservations(by, on_list, request);
        turn.effects.replies.push_back(
            [answer, list = std::move(list)]() mutable { answer(std::move(list)); });
      });
}

}  // namespace heddle::rm
