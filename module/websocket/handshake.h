// The opening handshake's rules (RFC 6455 4): is this request a WebSocket upgrade, is this answer a real 101?
//
// Strict on purpose: what is let through here is tunnelled afterwards, so a request that two servers could understand
// differently is refused. Judges header lines only; computing Sec-WebSocket-Accept is the caller's.
#pragma once

#include <cstddef>
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

// A header that may stand only once.
class Single {
public:
    void add(std::string_view line) noexcept;
    // Surrounding blanks don't count.
    [[nodiscard]] std::string_view value() const noexcept { return value_; }
    [[nodiscard]] bool once() const noexcept { return lines_ == 1; }
    [[nodiscard]] bool is(std::string_view wanted) const noexcept { return once() && value_ == wanted; }
    [[nodiscard]] bool is_any_case(std::string_view wanted) const noexcept;

private:
    std::size_t lines_ = 0;
    std::string_view value_;
};

// A client's request. Its header lines are views that have to live as long.
class OpeningRequest {
public:
    void add(const Header& header) noexcept;
    // Once all lines have been added. `has_body`: Transfer-Encoding, or a Content-Length other than 0.
    [[nodiscard]] RequestKind kind(bool get, bool http_1_1, bool has_body) const noexcept;

private:
    Single upgrade_;
    Single version_;
    Single key_;
    bool asks_for_websocket_ = false;
    bool connection_upgrade_ = false;
};

// A backend's 101 (4.2.2). Its header lines are views that have to live as long.
class OpeningResponse {
public:
    void add(const Header& header) noexcept;
    // One `Upgrade: websocket`, `Connection` with upgrade, the one Sec-WebSocket-Accept that was expected, and no body announced.
    [[nodiscard]] bool valid(std::string_view expected_accept) const noexcept;

private:
    Single upgrade_;
    Single accept_;
    bool connection_upgrade_ = false;
    bool has_body_ = false;
};

// Is `token` (any case) an element of the comma-separated `list`?
[[nodiscard]] bool has_token(std::string_view list, std::string_view token) noexcept;

// The canonical base64 of 16 bytes (4.1): 24 characters, the last two `==`, no bit set that base64 throws away.
[[nodiscard]] bool valid_key(std::string_view key) noexcept;

}  // namespace ws::websocket
