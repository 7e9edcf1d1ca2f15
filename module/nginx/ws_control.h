// `ws_control`: the content handler by which an operator, or a backend, reaches connections.
#pragma once

#include "nginx/ngx.h"

#include "nginx/location_conf.h"

namespace ws::nginx {

// The directive's setter.
char* set_ws_control(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;

// For merge_location_conf, after ws_redis and before ws_auth are inherited.
char* merge_ws_control(ngx_conf_t* cf, const LocationConf& outer, LocationConf& inner) noexcept;

}  // namespace ws::nginx
