// Where a Redis server listens.
#pragma once

#include <cstdint>
#include <string>

namespace ws::redis {

struct Endpoint {
    std::string host;  // a name or an address; IPv6 addresses in brackets
    std::uint16_t port = 0;

    // "host:port"
    [[nodiscard]] std::string text() const { return host + ':' + std::to_string(port); }

    bool operator==(const Endpoint&) const = default;
};

}  // namespace ws::redis
