// The master that sentinels know by its name: `ws_redis redis+sentinel://...`.
//
// The sentinels are asked in turn: at first use, every two seconds, when the master is lost, and when it turns out to be none any
// more (READONLY). Each connection to it begins with ROLE. After a failover everything is read again.
#pragma once

#include "nginx/ngx.h"

#include "nginx/redis_topology.h"

#include <array>
#include <memory>
#include <string_view>
#include <vector>

namespace ws::nginx {

class RedisSentinel final : public RedisTopology {
public:
    // See make_redis_store().
    RedisSentinel(const RedisServer& server, status::RedisCounters& counters, ngx_log_t* log);
    ~RedisSentinel() override;

    void track(redis::Invalidations& listener) override;
    void subscribe(const redis::Subscription& subscription) override;
    void unsubscribe() noexcept override;
    void shutdown() noexcept override;

private:
    [[nodiscard]] RedisClient* source(std::size_t n) override;
    [[nodiscard]] std::span<const std::string_view> question() const noexcept override { return question_; }
    [[nodiscard]] bool learn(const redisReply& reply, std::size_t n) override;
    void route(const RoutedCommandPtr& command) override;
    [[nodiscard]] const char* nobody_knows() const noexcept override { return "no sentinel knows the master"; }
    [[nodiscard]] RedisNode& sentinel(std::size_t n) { return *sentinels_[(first_ + n) % sentinels_.size()]; }
    void follow(std::unique_ptr<RedisNode> master);

    std::array<std::string_view, 3> question_;
    status::RedisCounters sentinel_counters_;  // of no interest: what counts is the master
    std::vector<std::unique_ptr<RedisNode>> sentinels_;
    std::size_t first_ = 0;  // who has answered last
    std::unique_ptr<RedisNode> master_;
    redis::Invalidations* listener_ = nullptr;
    const redis::Subscription* subscription_ = nullptr;
    bool named_ = false;  // in the log: the master has a name for an address
};

}  // namespace ws::nginx
