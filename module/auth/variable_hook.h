// `ws_auth variable VALUE`: the session is the value itself, whoever has put it there; an empty one is none.
#pragma once

#include "auth/ws_auth_hook.h"

namespace ws::auth {

extern const ws_auth_hook_t variable_hook;

}  // namespace ws::auth
