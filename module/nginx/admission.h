// The phase handler: decides whether a request of a protected location may go on, and with which context.
#pragma once

#include "nginx/ngx.h"

namespace ws::nginx {

// In NGX_HTTP_PRECONTENT_PHASE: after the access phase, so that allow, deny, auth_request and the limits have had their
// say before Redis is asked, and so that `satisfy any` can't overrule the answer.
ngx_int_t admit(ngx_http_request_t* r) noexcept;

}  // namespace ws::nginx
