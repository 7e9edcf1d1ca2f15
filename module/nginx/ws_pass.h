// `ws_pass URL`: proxy_pass, and the upgrade lines that it needs and everybody forgets.
#pragma once

#include "nginx/ngx.h"

#include "nginx/location_conf.h"

namespace ws::nginx {

// The directive's setter: the proxy module's own, with our handler in front of its.
char* set_ws_pass(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;

// `if` and limit_except make nameless locations inside of one: ws_pass goes on there, as proxy_pass does.
// NGX_CONF_OK, or NGX_CONF_ERROR when another directive of the location has taken ws_pass's place.
char* merge_ws_pass(ngx_conf_t* cf, const LocationConf& outer, LocationConf& inner) noexcept;

}  // namespace ws::nginx
