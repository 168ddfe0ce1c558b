// The parts of the ResourceManager's web surface, wired in service.cc.
#pragma once

#include "compat/rest/records.h"
#include "compat/rest/router.h"
#include "compat/rest/web.h"
#include "rm/api/door.h"

namespace heddle::compat::rest {

/// Outlives every exchange.
struct RmWeb {
  rm::Door door;
  WebOptions options;

  RecordContext context() const { return {door.reports, options, options.clock->now().wall}; }
};

void add_rm_read_routes(Router& router, const RmWeb& web);
void add_rm_write_routes(Router& router, const RmWeb& web);
void add_reservation_routes(Router& router, const RmWeb& web);
void add_rm_label_routes(Router& router, const RmWeb& web);
void add_queue_config_routes(Router& router, const RmWeb& web);
void add_explain_routes(Router& router, const RmWeb& web);
void add_activity_routes(Router& router, const RmWeb& web);
void add_rm_pages(Router& router, const RmWeb& web);

/// The application named by the route's capture; nullptr after having answered 400 or 404.
rm::AppReportPtr find_app(const RmWeb& web, const Exchange& exchange, std::string_view text);

}  // namespace heddle::compat::rest
