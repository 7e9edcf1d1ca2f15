// The gateway's own 101, where no backend gives one.
#pragma once

#include "nginx/ngx.h"

#include <array>
#include <string_view>

namespace ws::nginx {

// Sec-WebSocket-Accept (RFC 6455 4.2.2).
struct AcceptValue {
    std::array<char, ngx_base64_encoded_length(20)> text;

    [[nodiscard]] std::string_view view() const noexcept { return {text.data(), text.size()}; }
};
// For a key, blanks around it or not. Throws std::bad_alloc.
[[nodiscard]] AcceptValue accept_for(std::string_view key);

// Sends the head of a 101 to a request whose handshake has been checked; lines of the answer that are there already go along
// (a subprotocol, an extension). As ngx_http_send_header(): NGX_OK, NGX_AGAIN, or an error. Throws std::bad_alloc.
[[nodiscard]] ngx_int_t send_own_101(ngx_http_request_t& r);

// Whosever 101 it is: `rc` is what the filters have answered to the flush behind it. ssi keeps that to itself; behind all filters, the
// 101 would wait for ever, and messages pass it.
[[nodiscard]] ngx_int_t flush_101(ngx_http_request_t& r, ngx_int_t rc) noexcept;

}  // namespace ws::nginx
