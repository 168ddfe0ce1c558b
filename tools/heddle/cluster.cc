#include "tools/heddle/cluster.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "base/environment.h"
#include "base/text.h"
#include "compat/xml/configuration.h"

namespace heddle::cli {
namespace {

std::string as_url(std::string text) {
  while (text.ends_with('/'))
    text.pop_back();
  return text.find("://") == std::string::npos ? "http://" + text : text;
}

std::string web_url(const Settings& settings, const std::string& suffix) {
  const bool https = settings.get_or("yarn.http.policy", "") == "HTTPS_ONLY";
  const std::string name =
      std::string("yarn.resourcemanager.webapp.") + (https ? "https." : "") + "address" + suffix;
  std::string address;
  const Setting* given = settings.find(name);
  const bool by_host = !suffix.empty() && (given == nullptr || given->source == "default");
  if (by_host) {
    address = settings.get_or("yarn.resourcemanager.hostname" + suffix, "");
    if (!address.empty()) address += https ? ":8090" : ":8088";
  } else {
    address = settings.get_or(name, "");
  }
  if (address.starts_with("0.0.0.0")) address.replace(0, 7, "localhost");
  return address.empty() ? "" : (https ? "https://" : "http://") + address;
}

Outcome<Cluster> from_folder(const std::string& folder, std::string_view given_by) {
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return stop(given_by.starts_with('-') ? kExitUsage : kExitConfig,
                std::string(given_by) + " " + shortened(folder, 200) + " is not a folder",
                "give the folder of yarn-site.xml, or the address: --rm http://host:8088");
  }
  auto loaded = compat::xml::load_configuration(folder, {}, compat::xml::BrokenQueues::kTold);
  if (!loaded) {
    return stop(kExitConfig, loaded.error().message,
                "correct that file, or give --rm http://host:8088");
  }
  Cluster cluster;
  cluster.rm_urls = rm_urls_of(loaded->settings);
  cluster.settings = std::move(loaded->settings);
  return cluster;
}

}  // namespace

std::vector<std::string> rm_urls_of(const Settings& settings) {
  std::vector<std::string> urls;
  if (to_lower(settings.get_or("yarn.resourcemanager.ha.enabled", "")) == "true") {
    for (const std::string& id :
         split_list(settings.get_or("yarn.resourcemanager.ha.rm-ids", ""))) {
      std::string url = web_url(settings, "." + id);
      if (!url.empty()) urls.push_back(std::move(url));
    }
  }
  if (urls.empty()) urls.push_back(web_url(settings, ""));
  return urls;
}

Outcome<Cluster> find_cluster(const Options& options) {
  if (!options.rm.empty() && options.conf_dir.empty()) return Cluster{{as_url(options.rm)}, {}};
  if (!options.conf_dir.empty()) {
    auto cluster = from_folder(options.conf_dir, "--conf");
    if (cluster && !options.rm.empty()) cluster->rm_urls = {as_url(options.rm)};
    return cluster;
  }
  if (const std::string rm = environment("HEDDLE_RM"); !rm.empty())
    return Cluster{{as_url(rm)}, {}};
  for (const char* variable : {"YARN_CONF_DIR", "HADOOP_CONF_DIR"}) {
    if (const std::string folder = environment(variable); !folder.empty()) {
      return from_folder(folder, variable);
    }
  }
  return stop(kExitUsage, "which cluster? No address is given",
              "--rm http://host:8088, --conf DIR, or set HEDDLE_RM, YARN_CONF_DIR or "
              "HADOOP_CONF_DIR; `heddle dev` starts a cluster for trials");
}

std::string user_name() {
  std::string name = environment("HADOOP_USER_NAME");
  if (!name.empty()) return name;
  std::array<char, 4096> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    return entry.pw_name;
  }
  return std::to_string(::geteuid());
}

}  // namespace heddle::cli
