// W3C Trace Context: which trace a client's request belongs to, for the backend to know (ws_traceparent).
#pragma once

#include "nginx/ngx.h"

#include "nginx/connection.h"

namespace ws::nginx {

// Where its location wants it: keeps the client's traceparent or makes one, for the connection and in the request's header.
// Throws std::bad_alloc.
void join_trace(Connection& connection);

}  // namespace ws::nginx
