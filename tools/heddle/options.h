// What the command line said.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "tools/heddle/listing.h"

namespace heddle::cli {

struct Options {
  std::string command;  // "app list"

  std::string conf_dir;
  std::string rm;
  Format format = Format::kTable;
  bool no_headers = false;
  bool quiet = false;
  Duration timeout = std::chrono::seconds(10);

  std::vector<std::string> ids;  // of app show, kill, logs; node show; queue show
  bool all = false;
  std::string states;
  std::string user;
  std::string queue;
  std::string type;
  std::string tag;
  std::string label;
  std::string name;
  std::vector<std::string> groups;
  std::int64_t limit = 0;  // 0 = all

  std::vector<std::string> values;  // of queue set, queue add: key=value
  std::vector<std::string> files;   // of queue diff, queue apply
  std::int64_t version = 0;         // of queue diff, queue rollback; 0 = none
  bool dry_run = false;
  bool strict = false;

  // Of explain: what is thought of. Texts, as the server judges them; "" = not said.
  std::string memory, vcores, gpu, count, am_memory, am_vcores;
  std::vector<std::string> resources;  // NAME=AMOUNT
  std::vector<std::string> places;
  bool no_am = false;

  std::string container;
  std::string file;
  std::int64_t tail = -1;  // lines; -1 = all

  int nodes = 1;
  std::string dir;
  bool keep = false;

  std::string shell;
};

}  // namespace heddle::cli
