// `ws_status`: the content handler that shows the counters of all workers.
#pragma once

#include "nginx/ngx.h"

#include "nginx/location_conf.h"

namespace ws::nginx {

// The directive's setter.
char* set_ws_status(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;

// For merge_location_conf, before anything is inherited.
char* merge_ws_status(ngx_conf_t* cf, const LocationConf& outer, LocationConf& inner) noexcept;

}  // namespace ws::nginx
