// `ws_auth redis`: a session is what one Redis command answers.
#pragma once

#include "nginx/ngx.h"

#include "auth/ws_auth_hook.h"

namespace ws::nginx {

extern const ws_auth_hook_t redis_hook;

}  // namespace ws::nginx
