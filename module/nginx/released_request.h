// A connection without its request. nginx keeps 10 KiB for a client's request, and the buffers that it came in, as long as its
// connection lives. Nothing of that is needed while the WebSocket is open: the request is freed after the 101, as between two
// requests on a kept-alive connection, and made again at the end, from its record, for the log phase.
#pragma once

#include "nginx/ngx.h"

namespace ws::nginx {

struct Connection;

// Frees the request of a connection whose tunnel has been made, in an event of the gateway's own. Nothing happens where
// another module has left something with the request (limit_conn counts until it ends, for example), the tunnel's backend
// needs it, or some of the response is yet to be sent.
void release_request(Connection& connection) noexcept;

// The connection's request, made again if it was released. Null: for want of memory there is none; the client's connection is
// closed, and `connection` is gone.
[[nodiscard]] ngx_http_request_t* recall_request(Connection& connection) noexcept;

// The end of a tunnel whose backend leaves nothing for nginx to end: finalizes the request, made again if need be.
void finalize_request(Connection& connection) noexcept;

// ngx_http_run_posted_requests(), if the client's connection has a request.
void run_posted_requests(ngx_connection_t* c) noexcept;

}  // namespace ws::nginx
