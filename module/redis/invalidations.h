// What Redis reports about keys that were read: server-assisted client-side caching (CLIENT TRACKING, Redis 6 and newer).
#pragma once

#include <string_view>

namespace ws::redis {

// Told by nginx/redis_client, from the event loop.
class Invalidations {
public:
    // A key that was read has been changed, has expired or was deleted. Told once; told again only after the next read.
    virtual void invalidated(std::string_view key) = 0;

    // Reports may have been missed (the database was flushed, a connection was lost): whatever was read before may have
    // changed, and what is read from now on is tracked.
    virtual void missed() = 0;

    // Whether reports come. False when the server has no tracking, or refuses it.
    virtual void tracked(bool on) = 0;

protected:
    ~Invalidations() = default;
};

}  // namespace ws::redis
