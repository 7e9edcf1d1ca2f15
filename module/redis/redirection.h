// A cluster node's answer that another one serves the key: "MOVED 3999 10.0.0.1:6381", or "ASK ..." for this one time.
#pragma once

#include "redis/endpoint.h"
#include "redis/reply.h"

#include <optional>

namespace ws::redis {

struct Redirection {
    bool ask = false;  // this one time, behind an ASKING
    unsigned slot = 0;
    Endpoint to;  // without a host: the one that was asked
};

// Nothing for any other reply.
[[nodiscard]] std::optional<Redirection> redirection(const redisReply& reply);

// The reply to SENTINEL GET-MASTER-ADDR-BY-NAME; nothing if the sentinel doesn't know the master.
[[nodiscard]] std::optional<Endpoint> master_address(const redisReply& reply);

}  // namespace ws::redis
