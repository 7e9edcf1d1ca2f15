// A Redis Cluster: `ws_redis redis+cluster://...`.
//
// A command goes to the node that serves its key's slot. Which one that is, the nodes are asked at first use and whenever one of them
// answers MOVED or fails, and every two seconds while somebody is subscribed; ASK is followed for that one time. Each node reports
// what was read from it; when slots have moved, everything is read again.
#pragma once

#include "nginx/ngx.h"

#include "nginx/redis_topology.h"
#include "redis/redirection.h"
#include "redis/slot_table.h"

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ws::nginx {

class RedisCluster final : public RedisTopology {
public:
    // See make_redis_store().
    RedisCluster(const RedisServer& server, status::RedisCounters& counters, ngx_log_t* log);
    ~RedisCluster() override;

    void track(redis::Invalidations& listener) override;
    void subscribe(const redis::Subscription& subscription) override;
    void unsubscribe() noexcept override;
    void shutdown() noexcept override;

private:
    // What one node reports, on its way to the listener.
    struct Reports final : redis::Invalidations {
        enum class State { unknown, on, off };

        explicit Reports(RedisCluster& owner) noexcept : cluster(owner) {}
        void invalidated(std::string_view key) override { cluster.listener_->invalidated(key); }
        void missed() override { cluster.listener_->missed(); }
        void tracked(bool on) override;

        RedisCluster& cluster;
        State state = State::unknown;  // nothing is read before it is known
    };
    struct Member {
        std::shared_ptr<Reports> reports;
        std::unique_ptr<RedisNode> node;
    };

    [[nodiscard]] RedisClient* source(std::size_t n) override;
    [[nodiscard]] std::span<const std::string_view> question() const noexcept override { return question_; }
    [[nodiscard]] bool learn(const redisReply& reply, std::size_t n) override;
    void route(const RoutedCommandPtr& command) override;
    [[nodiscard]] const char* nobody_knows() const noexcept override { return "no node knows the cluster's slots"; }

    [[nodiscard]] RedisNode* member(const redis::Endpoint& endpoint);
    RedisNode& add(const std::string& name, std::unique_ptr<RedisNode> node);
    void report(Member& member);
    void retire_others();
    void submit(RedisNode& node, const RoutedCommandPtr& command, bool asking);
    void answered(const RoutedCommandPtr& command, const redis::Outcome& outcome, const redis::Endpoint& from);
    void follow(const RoutedCommandPtr& command, const redis::Redirection& redirection);
    void tell_tracked();
    void follow_subscription();

    std::array<std::string_view, 2> question_{"CLUSTER", "SLOTS"};
    std::map<std::string, Member> members_;  // by "host:port"
    std::vector<RedisNode*> asked_;          // in this round
    bool seeds_asked_ = false;
    redis::SlotTable slots_;
    bool moved_ = false;  // slots, since the nodes were asked last
    redis::Invalidations* listener_ = nullptr;
    bool tracked_ = false;  // the listener was told
    const redis::Subscription* subscription_ = nullptr;
    std::string subscribed_;  // the node, by its name in members_; empty: none
    bool named_ = false;      // in the log: a node has a name for an address
};

}  // namespace ws::nginx
