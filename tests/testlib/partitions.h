// Reports of queues in a cluster without node labels, made from what a test has filled in.
#pragma once

#include "rm/api/reports.h"

namespace heddle::testlib {

/// The queue and all below it may use every label, and have a part of the default partition only.
inline void fill_default_partition(rm::QueueReport& queue) {
  rm::PartitionReport all;
  all.capacity = queue.capacity;
  all.max_capacity = queue.max_capacity;
  all.absolute_capacity = queue.absolute_capacity;
  all.absolute_max_capacity = queue.absolute_max_capacity;
  all.used_capacity = queue.used_capacity;
  all.absolute_used_capacity = queue.absolute_used_capacity;
  all.max_master_share = queue.max_master_share;
  all.guaranteed = queue.guaranteed;
  all.maximum = queue.maximum;
  all.used = queue.used;
  all.pending = queue.pending;
  all.reserved = queue.reserved;
  all.master_used = queue.master_used;
  all.master_limit = queue.master_limit;
  all.user_master_limit = queue.user_master_limit;
  queue.partitions = {all};
  queue.labels = {"*"};
  for (rm::QueueReport& child : queue.children)
    fill_default_partition(child);
}

}  // namespace heddle::testlib
