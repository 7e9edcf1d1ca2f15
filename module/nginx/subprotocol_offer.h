// What a client offers as subprotocols. A page can set no header for a WebSocket but this one, so a token may be among them
// (ws_auth_token subprotocol:PREFIX), which is for the gateway alone.
#pragma once

#include "nginx/ngx.h"

#include <string_view>
#include <vector>

#include "nginx/connection.h"

namespace ws::nginx {

inline constexpr std::string_view subprotocol_header = "Sec-WebSocket-Protocol";

// The lines as the client sent them, of this request or of its parent, whatever has been taken out of the request's.
[[nodiscard]] std::vector<std::string_view> client_offer(const ngx_http_request_t& r);

// From now on the request offers no token: neither the backend nor an answer to the client has it.
void take_tokens_out_of_offer(Connection& connection);

}  // namespace ws::nginx
