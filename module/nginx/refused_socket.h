// A WebSocket that is opened only to be closed: a page can read a close code, but not the status of a refused upgrade.
#pragma once

#include "nginx/ngx.h"

namespace ws::nginx {

struct Connection;

// For an upgrade that was refused with this status, in a phase handler, of which it is the answer: sends a 101 and a close
// frame, and waits for the client's, at most ws_close_timeout. The backend hears nothing. Throws std::bad_alloc.
[[nodiscard]] ngx_int_t open_and_close(Connection& connection, ngx_int_t status);

}  // namespace ws::nginx
