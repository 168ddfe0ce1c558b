// Reports of applications, attempts, containers, nodes and queues in Hadoop's form. Pure.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/resources.h"
#include "compat/proto/yarn_protos.pb.h"
#include "compat/records/pb.h"
#include "rm/api/reports.h"

namespace heddle::compat::yarn {

/// What a report needs beside the thing reported.
struct ReportView {
  const ResourceTypes& types;
  std::string web_url;  // "http://host:port"
  WallTime now;
};

void to_wire(const rm::AppReport& app, const ReportView& view, pb::ApplicationReportProto* wire);
void to_wire(const rm::AttemptReport& attempt, const ReportView& view,
             pb::ApplicationAttemptReportProto* wire);
void to_wire(const rm::ContainerReport& container, const ReportView& view,
             pb::ContainerReportProto* wire);
void to_wire(const rm::NodeReport& node, const ReportView& view, pb::NodeReportProto* wire);
/// For the updated_nodes of an allocate answer.
void to_wire(const rm::NodeChange& node, const ReportView& view, pb::NodeReportProto* wire);

/// `children`: with the queues right below; `recursive`: with all below them too.
void to_wire(const rm::QueueReport& queue, const ReportView& view, bool children, bool recursive,
             pb::QueueInfoProto* wire);
/// By full path or, when that is unambiguous or first in the tree, by last name. nullptr = none.
const rm::QueueReport* find_queue(const rm::QueueReport& root, const std::string& name);

/// The pages that clients open: the proxied one, and the application's page of the ResourceManager.
std::string proxy_url(const std::string& web_url, const AppId& app);
std::string app_page_url(const std::string& web_url, const AppId& app);

}  // namespace heddle::compat::yarn
