// Settings as the XML that /conf answers.
#pragma once

#include <string>
#include <string_view>

#include "base/settings.h"

namespace heddle::compat::xml {

/// Whether the value of this property must not be shown: passwords, secrets, keys to stores.
bool is_secret(std::string_view name);

/// The value as it may be shown: "<redacted>" for secrets, else as it is.
std::string shown_value(std::string_view name, const Setting& setting);

/// <configuration> with name, value (before substitution, as Hadoop shows it), final and source of
/// every setting, or of the one called `only`. Bytes that XML cannot hold come out as '?'.
std::string to_xml(const Settings& settings, std::string_view only = {});

}  // namespace heddle::compat::xml
