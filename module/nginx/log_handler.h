// The error log's lines about a request, without what may be a token.
#pragma once

#include "nginx/ngx.h"

namespace ws::nginx {

// nginx writes the request line into each of them, with its arguments, and the URL that the backend is asked for. Where a
// token may be an argument (ws_auth_token arg:NAME), the lines of a request have neither from the moment on that it is in that
// location: `deny`, `limit_req` and their like tell of requests that the hook never sees. From postconfiguration.
[[nodiscard]] ngx_int_t install_log_handler(ngx_conf_t* cf) noexcept;

}  // namespace ws::nginx
