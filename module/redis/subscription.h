// Channels that somebody is subscribed to (Redis' publish and subscribe): what is published there comes to all who listen at
// that moment, and to nobody else.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ws::redis {

// Told by nginx/redis_client, from the event loop.
class Subscriber {
public:
    virtual void published(std::string_view channel, std::string_view message) = 0;

    // Whether messages come. Those between two of these calls may be lost.
    virtual void subscribed(bool on) = 0;

protected:
    ~Subscriber() = default;
};

struct Subscription {
    Subscriber* subscriber;
    std::vector<std::string> channels;  // subscribed in this order, not empty
    std::size_t max_message;            // bytes; a larger one is dropped
};

}  // namespace ws::redis
