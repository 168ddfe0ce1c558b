// Prints docs/compatibility.md.
#include <cstdio>

#include "compat/yarn/compatibility.h"

int main() {
  const std::string page = heddle::compat::yarn::compatibility_page();
  return std::fwrite(page.data(), 1, page.size(), stdout) == page.size() ? 0 : 1;
}
