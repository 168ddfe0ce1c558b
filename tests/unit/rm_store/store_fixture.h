// A SQLite store in a folder of its own, and an application to put into it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rm/store/store.h"

namespace heddle::rm {

class SqliteStore : public testing::Test {
 protected:
  SqliteStore() {
    std::string name = testing::TempDir() + "rm_store_XXXXXX";
    folder = ::mkdtemp(name.data());
  }
  ~SqliteStore() override { std::filesystem::remove_all(folder); }

  std::unique_ptr<Store> open() {
    auto store = open_sqlite_store(folder);
    EXPECT_TRUE(store) << (store ? "" : store.error().message);
    return store ? *std::move(store) : nullptr;
  }
  StoredState load() {
    auto store = open();
    auto state = store->load();
    EXPECT_TRUE(state) << (state ? "" : state.error().message);
    return state ? *std::move(state) : StoredState{};
  }
  void commit(std::vector<Record> records) {
    auto store = open();
    ASSERT_TRUE(store->load());
    const auto committed = store->commit(records);
    ASSERT_TRUE(committed) << committed.error().message;
  }
  std::string refusal() {
    auto store = open_sqlite_store(folder);
    return store ? "(opened)" : store.error().message;
  }
  std::string path() const { return folder + "/state.db"; }
  void overwrite(std::streamoff at, const std::string& bytes) {
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file << bytes;
  }

  std::string folder;
};

inline Submission submission(std::int32_t sequence = 1) {
  Submission out;
  out.id = {1'700'000'000'000, sequence};
  out.name = "word \"count\" \xc3\xa9\n";
  out.type = "MAPREDUCE";
  out.queue = "prod";
  out.tags = {"t1", "t2"};
  out.priority = 3;
  out.am_resources = {1536, 2};
  out.am_resources.amount[2] = 4;
  Ask near;
  near.resource_name = "/rack1";
  near.resources = out.am_resources;
  near.containers = 1;
  near.relax_locality = false;
  near.label_expression = "gpu";
  out.am_asks = {near};
  out.unmanaged = true;
  out.keep_containers = true;
  out.cancel_tokens_when_complete = false;
  out.max_attempts = 4;
  out.attempt_failures_validity_ms = 60'000;
  out.lifetime_seconds = 3600;
  out.label_expression = "x";
  out.view_acl = "ann,bob devs";
  out.modify_acl = "*";
  out.launch = std::make_shared<const std::string>(std::string("\0\1binary\xff", 9));
  out.log_aggregation_context = std::string("\0\xfe", 2);
  return out;
}

inline SaveApp save_app(std::int32_t sequence = 1) {
  return {std::make_shared<const Submission>(submission(sequence)),
          "ann",
          "root.prod",
          3,
          WallTime{11},
          WallTime{22}};
}

}  // namespace heddle::rm
