// The opening handshake's rules (RFC 6455 4): is this request a WebSocket upgrade, is this answer a real 101?
//
// Strict on purpose: what is let through here is tunnelled afterwards, so a request that two servers could understand
// differently is refused. Judges header lines only; computing Sec-WebSocket-Accept is the caller's.
#pragma once

#include <span>
#include <string_view>

namespace ws::websocket {

struct Header {
    std::string_view name;   // any case
    std::string_view value;  // surrounding blanks are ignored
};

enum class RequestKind {
    plain,          // does not ask for a WebSocket
    upgrade,        // a WebSocket upgrade, right in everything
    malformed,      // asks for a WebSocket in a way that is wrong: 400
    wrong_version,  // right in everything but the version, which is missing, double or not 13: 426
};

// `has_body`: Transfer-Encoding, or a Content-Length other than 0.
[[nodiscard]] RequestKind classify_request(bool get, bool http_1_1, bool has_body,
                                           std::span<const Header> headers) noexcept;

// A backend's 101 (4.2.2): one `Upgrade: websocket`, `Connection` with upgrade, the one Sec-WebSocket-Accept that was
// expected, and no body announced.
[[nodiscard]] bool valid_response(std::span<const Header> headers, std::string_view expected_accept) noexcept;

// Is `token` (any case) an element of the comma-separated `list`?
[[nodiscard]] bool has_token(std::string_view list, std::string_view token) noexcept;

// The canonical base64 of 16 bytes (4.1): 24 characters, the last two `==`, no bit set that base64 throws away.
[[nodiscard]] bool valid_key(std::string_view key) noexcept;

}  // namespace ws::websocket
