// The error log's lines about a request, without what may be a token.
#pragma once

#include "nginx/ngx.h"

namespace ws::nginx {

// nginx writes the request line into each of them, with its arguments, and the URL that the backend is asked for. Where a
// token may be an argument (ws_auth_token arg:NAME), this request's lines have neither, from now on.
void hide_arguments_in_log(ngx_http_request_t& r) noexcept;

}  // namespace ws::nginx
