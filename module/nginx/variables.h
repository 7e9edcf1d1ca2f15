// The module's variables: $ws_token, $ws_context, $ws_context_NAME, $ws_connection_id, $ws_auth_status, $ws_time_ms.
#pragma once

#include "nginx/ngx.h"

namespace ws::nginx {

[[nodiscard]] ngx_int_t add_variables(ngx_conf_t* cf) noexcept;

}  // namespace ws::nginx
