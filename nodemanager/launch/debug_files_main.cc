// heddle-debug-files: what a container's work directory held before its command ran, kept with its
// logs.
//
//   heddle-debug-files LOG_DIR
//
// Run by launch_container.sh in the work directory, as the container's user. Copies the script to
// LOG_DIR and lists the directory in LOG_DIR/directory.info, laid out as `ls -l` and `find -L .
// -maxdepth 5 -ls` of the GNU tools lay it out: one process instead of the five that cost more than
// the rest of a launch. A container does not fail for the want of these files: complaints go to
// standard error, the exit code is 0.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace {

constexpr char kScript[] = "launch_container.sh";
constexpr int kDepthMax = 5;
constexpr size_t kPiece = 65536;  // bytes read or written at once
constexpr time_t kSixMonths = 31556952 / 2;

void complain(const char* what, const std::string& path) {
  dprintf(STDERR_FILENO, "heddle-debug-files: %s %s: %s\n", what, path.c_str(), strerror(errno));
}

struct Close {
  explicit Close(int number) : fd(number) {}
  ~Close() {
    if (fd >= 0) close(fd);
  }
  Close(const Close&) = delete;
  Close& operator=(const Close&) = delete;
  const int fd;
};

bool write_all(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = write(fd, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    data += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

/// A file of the log directory, from its beginning. Another file behind its name is left alone.
int create(const std::string& path, mode_t mode) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0) complain("cannot write", path);
  return fd;
}

void copy_script(const std::string& log_dir) {
  const Close from(open(kScript, O_RDONLY | O_CLOEXEC));
  if (from.fd < 0) return complain("cannot read", kScript);
  const std::string path = log_dir + "/" + kScript;
  const Close to(create(path, 0640));
  if (to.fd < 0) return;
  char piece[kPiece];
  ssize_t size = 0;
  while ((size = read(from.fd, piece, sizeof piece)) > 0) {
    if (!write_all(to.fd, piece, static_cast<size_t>(size))) return complain("cannot write", path);
  }
  if (size < 0) complain("cannot read", kScript);
  if (fchmod(to.fd, 0640) != 0) complain("cannot set the mode of", path);
}

struct Entry {
  std::string name;
  struct stat info {};
  std::string target = {};  // of a symbolic link that is listed as one
};

std::string link_target(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t size = readlink(path.c_str(), target, sizeof target);
  return size < 0 ? std::string() : std::string(target, static_cast<size_t>(size));
}

/// The names in a directory, in the order the system gives them.
std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  DIR* stream = opendir(directory.c_str());
  if (stream == nullptr) {
    complain("cannot list", directory);
    return names;
  }
  while (const dirent* entry = readdir(stream)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  closedir(stream);
  return names;
}

/// The text of one command, written as it grows.
class Listing {
 public:
  Listing(int fd, const char* headline) : fd_(fd), text_(headline) {}
  ~Listing() { flush(); }
  Listing(const Listing&) = delete;
  Listing& operator=(const Listing&) = delete;

  /// As `ls -l`: columns as wide as their widest value.
  void directory(std::vector<Entry> entries);
  /// As `find -ls`: a value that is wider than all before it widens the lines that follow.
  void found(const Entry& entry);

 private:
  struct Widths {
    int links, user, group, size;
  };

  void add(const char* format, ...) __attribute__((format(printf, 2, 3)));
  void widen(Widths& widths, const Entry& entry);
  void columns(const Widths& widths, const Entry& entry);
  void flush();
  const int fd_;
  const time_t now_ = time(nullptr);
  std::string text_;
  Widths found_{3, 8, 8, 8};
  int inode_width_ = 9;
  int blocks_width_ = 6;
};

void Listing::add(const char* format, ...) {
  char piece[512];
  va_list arguments;
  va_start(arguments, format);
  const int size = vsnprintf(piece, sizeof piece, format, arguments);
  va_end(arguments);
  text_.append(piece, std::min(static_cast<size_t>(std::max(size, 0)), sizeof piece - 1));
}

const std::string& user_of(uid_t uid) {
  static std::map<uid_t, std::string> users;
  const auto [known, is_new] = users.try_emplace(uid);
  if (is_new) {
    const passwd* user = getpwuid(uid);
    known->second = user == nullptr ? std::to_string(uid) : user->pw_name;
  }
  return known->second;
}

const std::string& group_of(gid_t gid) {
  static std::map<gid_t, std::string> groups;
  const auto [known, is_new] = groups.try_emplace(gid);
  if (is_new) {
    const group* found = getgrgid(gid);
    known->second = found == nullptr ? std::to_string(gid) : found->gr_name;
  }
  return known->second;
}

std::string mode_text(mode_t mode) {
  std::string text = "?rwxrwxrwx";
  switch (mode & S_IFMT) {
    case S_IFREG: text[0] = '-'; break;
    case S_IFDIR: text[0] = 'd'; break;
    case S_IFLNK: text[0] = 'l'; break;
    case S_IFCHR: text[0] = 'c'; break;
    case S_IFBLK: text[0] = 'b'; break;
    case S_IFIFO: text[0] = 'p'; break;
    case S_IFSOCK: text[0] = 's'; break;
    default: break;
  }
  for (unsigned bit = 0; bit < 9; ++bit) {
    if ((mode & (0400U >> bit)) == 0) text[1U + bit] = '-';
  }
  if ((mode & S_ISUID) != 0) text[3] = text[3] == 'x' ? 's' : 'S';
  if ((mode & S_ISGID) != 0) text[6] = text[6] == 'x' ? 's' : 'S';
  if ((mode & S_ISVTX) != 0) text[9] = text[9] == 'x' ? 't' : 'T';
  return text;
}

std::string size_text(const struct stat& info) {
  if (!S_ISCHR(info.st_mode) && !S_ISBLK(info.st_mode)) return std::to_string(info.st_size);
  return std::to_string(major(info.st_rdev)) + ", " + std::to_string(minor(info.st_rdev));
}

/// As `find -ls` writes names.
std::string escaped(const std::string& name) {
  constexpr char kSpecial[] = "\\\n\b\r\t\f \"";
  constexpr char kLetters[] = "\\nbrtf \"";
  std::string text;
  for (const char c : name) {
    if (const char* special = c == '\0' ? nullptr : strchr(kSpecial, c)) {
      text.append(1, '\\').append(1, kLetters[special - kSpecial]);
    } else if (c > ' ' && c < '\177') {
      text += c;
    } else {
      char octal[8];
      snprintf(octal, sizeof octal, "\\%03o", static_cast<unsigned>(static_cast<unsigned char>(c)));
      text += octal;
    }
  }
  return text;
}

std::string time_text(time_t changed, time_t now) {
  const bool recent = changed > now - kSixMonths && changed <= now;
  struct tm local {};
  char text[64];
  localtime_r(&changed, &local);
  return {text, strftime(text, sizeof text, recent ? "%b %e %H:%M" : "%b %e  %Y", &local)};
}

void Listing::widen(Widths& widths, const Entry& entry) {
  const auto grow = [](int& width, const std::string& value) {
    width = std::max(width, static_cast<int>(value.size()));
  };
  grow(widths.links, std::to_string(entry.info.st_nlink));
  grow(widths.user, user_of(entry.info.st_uid));
  grow(widths.group, group_of(entry.info.st_gid));
  grow(widths.size, size_text(entry.info));
}

void Listing::columns(const Widths& widths, const Entry& entry) {
  add("%s %*ju %-*s %-*s %*s %s ", mode_text(entry.info.st_mode).c_str(), widths.links,
      static_cast<uintmax_t>(entry.info.st_nlink), widths.user, user_of(entry.info.st_uid).c_str(),
      widths.group, group_of(entry.info.st_gid).c_str(), widths.size, size_text(entry.info).c_str(),
      time_text(entry.info.st_mtime, now_).c_str());
  text_ += entry.name;
  if (!entry.target.empty()) text_ += " -> " + entry.target;
  text_ += '\n';
  if (text_.size() > kPiece) flush();
}

void Listing::flush() {
  if (!write_all(fd_, text_.data(), text_.size())) complain("cannot write", "directory.info");
  text_.clear();
}

void Listing::directory(std::vector<Entry> entries) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  Widths widths{};
  uintmax_t blocks = 0;
  for (const Entry& entry : entries) {
    widen(widths, entry);
    blocks += static_cast<uintmax_t>(entry.info.st_blocks);
  }
  add("total %ju\n", blocks / 2);
  for (const Entry& entry : entries)
    columns(widths, entry);
}

void Listing::found(const Entry& entry) {
  const std::string inode = std::to_string(entry.info.st_ino);
  const std::string blocks = std::to_string(entry.info.st_blocks / 2);
  inode_width_ = std::max(inode_width_, static_cast<int>(inode.size()));
  blocks_width_ = std::max(blocks_width_, static_cast<int>(blocks.size()));
  widen(found_, entry);
  add("%*s %*s ", inode_width_, inode.c_str(), blocks_width_, blocks.c_str());
  columns(found_, {escaped(entry.name), entry.info, escaped(entry.target)});
}

std::vector<Entry> work_directory() {
  std::vector<Entry> entries;
  for (const std::string& name : names_in(".")) {
    Entry entry{.name = name};
    if (name[0] == '.' || lstat(name.c_str(), &entry.info) != 0) continue;
    if (S_ISLNK(entry.info.st_mode)) entry.target = link_target(name);
    entries.push_back(std::move(entry));
  }
  return entries;
}

/// Follows links, but never to a directory that it is in already.
void walk(const std::string& path, int depth, std::vector<struct stat>& above, Listing& listing,
          std::vector<Entry>& broken) {
  Entry entry{.name = path};
  if (stat(path.c_str(), &entry.info) != 0) {
    if (errno == ELOOP) return complain("leaves out", path);
    if (lstat(path.c_str(), &entry.info) != 0) return complain("cannot look at", path);
    entry.target = link_target(path);
    broken.push_back(entry);
  }
  const bool is_directory = S_ISDIR(entry.info.st_mode);
  const auto is_same = [&entry](const struct stat& other) {
    return other.st_dev == entry.info.st_dev && other.st_ino == entry.info.st_ino;
  };
  if (is_directory && std::any_of(above.begin(), above.end(), is_same)) {
    errno = ELOOP;
    return complain("leaves out", path);
  }
  listing.found(entry);
  if (!is_directory || depth == kDepthMax) return;
  above.push_back(entry.info);
  for (const std::string& name : names_in(path))
    walk(std::string(path).append("/").append(name), depth + 1, above, listing, broken);
  above.pop_back();
}

void list_directory(const std::string& log_dir) {
  const Close info(create(log_dir + "/directory.info", 0644));
  if (info.fd < 0) return;
  Listing(info.fd, "ls -l:\n").directory(work_directory());
  std::vector<Entry> broken;
  {
    Listing listing(info.fd, "find -L . -maxdepth 5 -ls:\n");
    std::vector<struct stat> above;
    walk(".", 0, above, listing, broken);
  }
  Listing listing(info.fd, "broken symlinks(find -L . -maxdepth 5 -type l -ls):\n");
  for (const Entry& entry : broken)
    listing.found(entry);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    dprintf(STDERR_FILENO, "usage: heddle-debug-files LOG_DIR\nRun by launch_container.sh.\n");
    return 64;
  }
  copy_script(argv[1]);
  list_directory(argv[1]);
  return 0;
}
