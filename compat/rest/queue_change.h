// Changes of the queues as they come by REST: Hadoop's sched-conf, and our own with more in it.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "compat/rest/body.h"
#include "rm/api/queue_changes.h"

namespace heddle::compat::rest {

enum class ChangeForm : std::uint8_t {
  kHadoop,  // add-queue, remove-queue, update-queue, global
  kOwn      // and settings (all of them), version, dry-run
};

/// `body` is the object itself, or an object that holds nothing but "sched-conf". Maps may be in
/// the form of Jersey ({"entry":[{"key":..,"value":..}]}) or plain ({"capacity":"50"}).
/// kInvalidArgument names what is wrong and its place; an unknown name is wrong, too.
Result<rm::QueueChange> queue_change_from_body(const Body& body, ChangeForm form);

}  // namespace heddle::compat::rest
