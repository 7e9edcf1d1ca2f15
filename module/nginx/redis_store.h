// A Redis as `ws_redis` names it, in one worker process: one server, the master that sentinels know, or a cluster.
#pragma once

#include "nginx/ngx.h"

#include "nginx/redis_server.h"
#include "redis/store.h"
#include "redis/subscription.h"
#include "status/figures.h"

#include <memory>

namespace ws::nginx {

class RedisStore : public redis::Store {
public:
    // Keeps somebody subscribed, over a connection of its own, as long as the store lives or until unsubscribe(). `subscription`
    // outlives that. One at a time.
    virtual void subscribe(const redis::Subscription& subscription) = 0;
    virtual void unsubscribe() noexcept = 0;

    // For exit_process: closes all sockets and timers. Commands still under way are forgotten: no callback runs any more. Not from a
    // callback.
    virtual void shutdown() noexcept = 0;
};

// Opens nothing yet. All arguments outlive the store; `log` is the cycle's.
[[nodiscard]] std::unique_ptr<RedisStore> make_redis_store(const RedisServer& server, status::RedisCounters& counters,
                                                           ngx_log_t* log);

}  // namespace ws::nginx
