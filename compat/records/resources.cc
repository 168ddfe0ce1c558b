#include "compat/records/resources.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/text.h"

namespace heddle::compat {
namespace {

std::string known_names(const ResourceTypes& types) {
  std::vector<std::string> names;
  for (const auto& type : types.all())
    names.push_back(type.name);
  return join(names, ", ");
}

Failure negative(std::string_view name, std::int64_t amount) {
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("Invalid resource request! Cannot allocate containers as requested "
                          "resource is less than 0! Requested resource type=[{}], value {}",
                          name, amount),
              ErrorSubject::kResourceRequest);
}

Result<void> read_entry(const pb::ResourceInformationProto& entry, const ResourceTypes& types,
                        UnknownTypes unknown, Resources& out) {
  const auto index = types.index_of(entry.key());
  if (!index) {
    if (unknown == UnknownTypes::kIgnore) return {};
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("Invalid resource request! Unknown resource type '{}'; this cluster "
                            "counts {} (yarn.resource-types)",
                            shortened(entry.key()), known_names(types)),
                ErrorSubject::kResourceRequest);
  }
  const ResourceTypes::Type& type = types.all()[*index];
  if (entry.value() < 0) return negative(type.name, entry.value());
  std::int64_t amount = entry.value();
  if (entry.has_units() && entry.units() != type.unit) {
    auto converted = convert_unit(amount, entry.units(), type.unit);
    if (!converted) {
      return fail(std::move(converted)
                      .error()
                      .within("resource " + type.name)
                      .about(ErrorSubject::kResourceRequest));
    }
    amount = *converted;
  }
  out.amount[*index] = amount;
  return {};
}

}  // namespace

Result<Resources> resources_from_wire(const pb::ResourceProto& wire, const ResourceTypes& types,
                                      UnknownTypes unknown) {
  Resources out;
  for (const auto& entry : wire.resource_value_map()) {
    RETURN_IF_ERROR(read_entry(entry, types, unknown, out));
  }
  if (wire.has_memory()) {
    if (wire.memory() < 0) return negative("memory-mb", wire.memory());
    out.amount[kMemory] = wire.memory();
  }
  if (wire.has_virtual_cores()) {
    if (wire.virtual_cores() < 0) return negative("vcores", wire.virtual_cores());
    out.amount[kVcores] = wire.virtual_cores();
  }
  return out;
}

void to_wire(const Resources& resources, const ResourceTypes& types, pb::ResourceProto* wire) {
  wire->set_memory(resources.memory_mb());
  wire->set_virtual_cores(static_cast<std::int32_t>(
      std::clamp<std::int64_t>(resources.vcores(), std::numeric_limits<std::int32_t>::min(),
                               std::numeric_limits<std::int32_t>::max())));
  for (std::size_t i = 0; i < types.all().size(); ++i) {
    const ResourceTypes::Type& type = types.all()[i];
    auto* entry = wire->add_resource_value_map();
    entry->set_key(type.name);
    entry->set_value(resources.amount[i]);
    entry->set_units(type.unit);
    entry->set_type(pb::COUNTABLE);
  }
}

Resources every_type(const ResourceTypes& types, std::int64_t amount) {
  Resources out;
  for (std::size_t i = 0; i < types.all().size(); ++i)
    out.amount[i] = amount;
  return out;
}

void type_to_wire(const ResourceTypes::Type& type, pb::ResourceTypeInfoProto* wire) {
  wire->set_name(type.name);
  wire->set_units(type.unit);
  wire->set_type(pb::COUNTABLE);
}

}  // namespace heddle::compat
