#include "rm/store/label_rows.h"

#include <string_view>
#include <utility>

namespace heddle::rm {
namespace {

constexpr const char* kTables = R"(
CREATE TABLE IF NOT EXISTS node_label (
  name TEXT PRIMARY KEY, exclusive INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS labelled_node (
  host TEXT NOT NULL, port INTEGER NOT NULL, label TEXT NOT NULL,
  PRIMARY KEY (host, port)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS node_attribute (
  host TEXT NOT NULL, prefix TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (host, prefix, name)) WITHOUT ROWID;
)";

/// Runs `take` on every row.
template <class Take>
Result<void> for_each_row(Database& database, std::string_view sql, Take take) {
  auto rows = database.prepare(sql);
  if (!rows) return fail(rows.error());
  while (true) {
    const auto row = rows->step();
    if (!row) return fail(row.error());
    if (!*row) return {};
    take(*rows);
  }
}

}  // namespace

Result<void> LabelRows::prepare(Database& database) {
  RETURN_IF_ERROR(database.execute(kTables));
  const std::pair<Statement*, std::string_view> statements[] = {
      {&put_label_, "INSERT OR REPLACE INTO node_label (name, exclusive) VALUES (?,?)"},
      {&drop_label_, "DELETE FROM node_label WHERE name=?"},
      {&put_node_, "INSERT OR REPLACE INTO labelled_node (host, port, label) VALUES (?,?,?)"},
      {&drop_node_, "DELETE FROM labelled_node WHERE host=? AND port=?"},
      {&put_attribute_,
       "INSERT OR REPLACE INTO node_attribute (host, prefix, name, value) VALUES (?,?,?,?)"},
      {&drop_attribute_, "DELETE FROM node_attribute WHERE host=? AND prefix=? AND name=?"},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = database.prepare(sql);
    if (!prepared) return fail(prepared.error());
    *statement = *std::move(prepared);
  }
  return {};
}

Result<void> LabelRows::apply(const LabelChange& record) {
  for (const NodeLabel& label : record.added) {
    RETURN_IF_ERROR(put_label_.bind(1, label.name).bind(2, std::int64_t{label.exclusive}).run());
  }
  for (const auto& [node, label] : record.mapped) {
    Statement& statement = label ? put_node_ : drop_node_;
    statement.bind(1, node.host).bind(2, std::int64_t{node.port});
    if (label) statement.bind(3, *label);
    RETURN_IF_ERROR(statement.run());
  }
  for (const std::string& name : record.removed)
    RETURN_IF_ERROR(drop_label_.bind(1, name).run());
  return {};
}

Result<void> LabelRows::apply(const AttributeChange& record) {
  for (const AttributeChange::Row& row : record.rows) {
    Statement& statement = row.value ? put_attribute_ : drop_attribute_;
    statement.bind(1, row.host).bind(2, row.prefix).bind(3, row.name);
    if (row.value) statement.bind(4, *row.value);
    RETURN_IF_ERROR(statement.run());
  }
  return {};
}

Result<void> LabelRows::load(Database& database, StoredState& state) {
  RETURN_IF_ERROR(for_each_row(database, "SELECT name, exclusive FROM node_label ORDER BY name",
                               [&](const Statement& row) {
                                 state.labels.push_back({row.text(0), row.integer(1) != 0});
                               }));
  RETURN_IF_ERROR(
      for_each_row(database, "SELECT host, port, label FROM labelled_node ORDER BY host, port",
                   [&](const Statement& row) {
                     const NodeId id{row.text(0), static_cast<std::int32_t>(row.integer(1))};
                     state.node_labels.emplace_back(id, row.text(2));
                   }));
  return for_each_row(
      database, "SELECT host, prefix, name, value FROM node_attribute ORDER BY 1, 2, 3",
      [&](const Statement& row) {
        state.attributes.push_back({row.text(0), row.text(1), row.text(2), row.text(3)});
      });
}

}  // namespace heddle::rm
