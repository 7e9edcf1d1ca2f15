// One of several servers: its address and its client.
#pragma once

#include "nginx/ngx.h"

#include "nginx/redis_client.h"
#include "redis/endpoint.h"

#include <functional>
#include <memory>
#include <string_view>

namespace ws::nginx {

class RedisNode final {
public:
    // `settings` is a RedisServer without its address, but with the name for logs and certificates. Its ngx_addr_t is copied.
    RedisNode(RedisServer settings, const ngx_addr_t& addr, status::RedisCounters& counters, ngx_log_t* log,
              std::function<void()> on_failure = nullptr);
    RedisNode(const RedisNode&) = delete;
    RedisNode& operator=(const RedisNode&) = delete;

    // Another server was announced. Null if its host is no address: looking a name up would hold up the worker.
    [[nodiscard]] static std::unique_ptr<RedisNode> announced(RedisServer settings, const redis::Endpoint& endpoint,
                                                              status::RedisCounters& counters, ngx_log_t* log,
                                                              std::function<void()> on_failure);

    // Has this node tell what was read from it, as long as it lives.
    void report_to(std::shared_ptr<redis::Invalidations> listener);

    [[nodiscard]] RedisClient& client() noexcept { return client_; }
    [[nodiscard]] const redis::Endpoint& endpoint() const noexcept { return endpoint_; }

private:
    ngx_sockaddr_t sockaddr_{};
    ngx_addr_t addr_{};
    redis::Endpoint endpoint_;
    RedisServer server_;
    std::shared_ptr<redis::Invalidations> listener_;
    RedisClient client_;
};

}  // namespace ws::nginx
