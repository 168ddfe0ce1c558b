// Access control lists in Hadoop's form: "user1,user2 group1,group2", "*" (alone, or alone on one
// side of the blank) = everybody, " " = nobody.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace heddle::security {

class Acl {
 public:
  static Acl parse(std::string_view text);
  bool allows(std::string_view user, const std::vector<std::string>& groups) const;
  bool allows_everybody() const { return everybody_; }

 private:
  bool everybody_ = false;
  std::set<std::string, std::less<>> users_;
  std::set<std::string, std::less<>> groups_;
};

/// The Unix groups of a user on this machine; empty when the user is not known. May block (NSS):
/// see security/groups.h.
std::vector<std::string> unix_groups(const std::string& user);

}  // namespace heddle::security
