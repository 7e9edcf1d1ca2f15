// `ws_pass URL`: proxy_pass, and the upgrade lines that it needs and everybody forgets.
#pragma once

#include "nginx/ngx.h"

namespace ws::nginx {

// The directive's setter: the proxy module's own, with our handler in front of its.
char* set_ws_pass(ngx_conf_t* cf, ngx_command_t* command, void* conf) noexcept;

}  // namespace ws::nginx
