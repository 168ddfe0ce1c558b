// The variables of one submission, and how texts and paths are made of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "queues/rules/place.h"
#include "queues/rules/queue_view.h"

namespace heddle::queues::rules {

/// The parts between dots; empty ones at the end are left out.
std::vector<std::string> split_path(std::string_view path);

class Variables {
 public:
  /// Both must outlive this object.
  Variables(const Request& request, const QueueView& queues);

  void set_default(std::string queue) { default_ = std::move(queue); }

  /// Every variable anywhere in the text. %secondary_group stays as it is where there are several
  /// to choose from: which one is meant only a path can tell.
  std::string in_text(std::string_view text) const;

  struct Path {
    std::string text;
    std::string problem;  // "" = none
  };
  /// Parts that are a variable, one by one; a variable within a part stays as it is.
  Path in_path(std::string_view pattern) const;

 private:
  bool has_groups() const { return !request_.groups.empty(); }
  std::string secondary_group_below(std::string_view parents) const;
  /// Of every variable but %secondary_group.
  std::string value_of(std::string_view variable) const;

  const Request& request_;
  const QueueView& queues_;
  std::string user_;
  std::string primary_group_;
  std::vector<std::string> secondary_groups_;
  std::string default_ = "root.default";
};

}  // namespace heddle::queues::rules
