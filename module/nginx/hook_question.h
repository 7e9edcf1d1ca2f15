// The question to the location's hook: the answer lets the request go on, and what the hook tells later changes the
// connection.
#pragma once

#include "nginx/ngx.h"

#include "auth/verdict.h"
#include "nginx/connection.h"

namespace ws::nginx {

// In a phase handler. NGX_AGAIN: the phase runs again when there is an answer. Whenever that is, `judge` gets it and sets
// connection.verdict and connection.auth, which is `allowed` if the session is to be followed.
ngx_int_t ask_hook(Connection& connection, Connection::Judge judge);

}  // namespace ws::nginx
