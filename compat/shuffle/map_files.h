// Opens map output files without ever leaving their folder.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "compat/shuffle/map_index.h"

namespace heddle::compat::shuffle {

/// An open file of known length; closed on destruction.
class MapFile {
 public:
  MapFile(int descriptor, std::uint64_t length) : descriptor_(descriptor), length_(length) {}
  MapFile(MapFile&& other) noexcept;
  MapFile& operator=(MapFile&&) = delete;
  ~MapFile();

  int descriptor() const { return descriptor_; }
  std::uint64_t length() const { return length_; }
  int release();  // the caller closes it
  /// kInternal when it ends too early or cannot be read.
  Result<std::string> read(std::uint64_t offset, std::size_t count) const;

 private:
  int descriptor_;
  std::uint64_t length_;
};

/// Whose map output: <local dir>/usercache/<user>/appcache/<app>/output/<attempt>.
struct MapFolder {
  std::string user;
  std::string app;      // "application_..."
  std::string attempt;  // checked by is_map_attempt()

  std::string relative_path() const;  // for messages
};

/// Opens `name` for reading. No component below the local dir may be a symbolic link, and the file
/// must belong to the owner of its folder, so that neither links nor hard links lead elsewhere.
Result<MapFile> open_map_file(const std::string& local_dir, const MapFolder& folder,
                              const char* name);

/// Finds index and data, which may lie in different local dirs. kNotFound with Hadoop's message;
/// kInvalidArgument: the index is broken or does not fit the data.
Result<MapIndex> load_map_index(const std::vector<std::string>& local_dirs,
                                const MapFolder& folder);

}  // namespace heddle::compat::shuffle
