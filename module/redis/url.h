// The address of a Redis server as users write it in `ws_redis`.
//
//   redis://[[user]:password@]host[:port][/db]          IPv6 addresses in brackets; rediss:// the same by TLS
//   redis+sentinel://[[user]:password@]host[:port][,host[:port]...]/master[/db]       rediss+sentinel:// by TLS
//   redis+cluster://[[user]:password@]host[:port][,host[:port]...]                     rediss+cluster:// by TLS
//   unix:/path[?db=N&user=NAME&password=SECRET]         also redis+unix:, and unix://[[user]:password@]/path[?db=N]
//
// User, password and path are percent-decoded.
#pragma once

#include "redis/endpoint.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ws::redis {

struct Url {
    enum class Kind { server, sentinel, cluster };

    Kind kind = Kind::server;
    std::vector<Endpoint> endpoints;  // one of a server; none for a unix socket
    std::string path;                 // of the unix socket; empty for TCP
    std::string master;               // its name; for sentinels
    std::string user;
    std::string password;
    unsigned db = 0;
    bool tls = false;

    // "host:port", "unix:/path", the master's name or "cluster host:port": safe to log, holds no secret.
    [[nodiscard]] std::string address() const;
};

// On failure returns nothing and puts into `error` a sentence that says what is right. It never quotes the URL, which may hold a password.
[[nodiscard]] std::optional<Url> parse_url(std::string_view text, std::string& error);

}  // namespace ws::redis
