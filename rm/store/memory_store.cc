#include "rm/store/store.h"

namespace heddle::rm {
namespace {

class MemoryStore final : public Store {
 public:
  Result<StoredState> load() override { return StoredState{}; }
  Result<void> commit(std::span<const Record>) override { return {}; }
  std::string name() const override { return "MemoryStore"; }
};

}  // namespace

std::unique_ptr<Store> make_memory_store() {
  return std::make_unique<MemoryStore>();
}

}  // namespace heddle::rm
