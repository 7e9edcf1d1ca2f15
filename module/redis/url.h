// The address of a Redis server as users write it in `ws_redis`.
//
//   redis://[[user]:password@]host[:port][/db]          IPv6 addresses in brackets; rediss:// the same by TLS
//   unix:/path[?db=N&user=NAME&password=SECRET]         also redis+unix:, and unix://[[user]:password@]/path[?db=N]
//
// User, password and path are percent-decoded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ws::redis {

struct Url {
    std::string host;  // in brackets when it is an IPv6 address; empty for a unix socket
    std::uint16_t port = 6379;
    std::string path;  // of the unix socket; empty for TCP
    std::string user;
    std::string password;
    unsigned db = 0;
    bool tls = false;

    // "host:port" or "unix:/path": safe to log, holds no secret.
    [[nodiscard]] std::string address() const;
};

// On failure returns nothing and puts into `error` a sentence that says what is right. It never quotes the URL, which may hold a password.
[[nodiscard]] std::optional<Url> parse_url(std::string_view text, std::string& error);

}  // namespace ws::redis
