#include "nginx/redis_sentinel.h"

#include <utility>

#include "redis/redirection.h"
#include "redis/reply.h"

namespace ws::nginx {

namespace {

constexpr ngx_msec_t interval = 2000;
constexpr ngx_msec_t pace = 100;

}  // namespace

RedisSentinel::RedisSentinel(const RedisServer& server, status::RedisCounters& counters, ngx_log_t* log)
    : RedisTopology(server, counters, log, interval, pace),
      question_{"SENTINEL", "GET-MASTER-ADDR-BY-NAME", server.master} {
    RedisServer settings = server;
    settings.login = server.sentinel_login;
    settings.connections = 1;
    for (const RedisSource& source : server.sources) {
        settings.name = "sentinel " + source.name;
        settings.tls_name = source.tls_name;
        sentinels_.push_back(std::make_unique<RedisNode>(settings, *source.addr, sentinel_counters_, log));
    }
}

RedisSentinel::~RedisSentinel() { RedisSentinel::shutdown(); }

RedisClient* RedisSentinel::source(std::size_t n) { return n < sentinels_.size() ? &sentinel(n).client() : nullptr; }

bool RedisSentinel::learn(const redisReply& reply, std::size_t n) {
    const auto endpoint = redis::master_address(reply);
    if (!endpoint) { return false; }
    first_ = (first_ + n) % sentinels_.size();
    if (master_ != nullptr && master_->endpoint() == *endpoint) { return true; }

    RedisServer settings = server();
    settings.login.master = true;
    settings.name = server().master + ' ' + endpoint->text();
    auto master = RedisNode::announced(std::move(settings), *endpoint, counters(), log(), on_failure());
    if (master == nullptr) {
        if (!std::exchange(named_, true)) {
            ngx_log_error(NGX_LOG_ERR, log(), 0,
                          "ws: redis %s is announced as \"%s\": an address is needed (sentinel announce-hostnames no)",
                          server().name.c_str(), endpoint->host.c_str());
        }
        return false;
    }
    if (master_ != nullptr) {
        ngx_log_error(NGX_LOG_NOTICE, log(), 0, "ws: redis %s is %s now", server().name.c_str(),
                      endpoint->text().c_str());
    }
    follow(std::move(master));
    return true;
}

// From now on commands go there; whatever the old master knew or has reported counts no more.
void RedisSentinel::follow(std::unique_ptr<RedisNode> master) {
    std::unique_ptr<RedisNode> before = std::exchange(master_, std::move(master));
    if (listener_ != nullptr) { master_->client().track(*listener_); }
    if (before != nullptr && subscription_ != nullptr) {
        before->client().unsubscribe();
        subscription_->subscriber->subscribed(false);
    }
    if (subscription_ != nullptr) { master_->client().subscribe(*subscription_); }
    if (before == nullptr) { return; }
    retire(std::move(before));
    if (listener_ != nullptr) {
        listener_->tracked(false);
        listener_->missed();
    }
}

void RedisSentinel::track(redis::Invalidations& listener) {
    listener_ = &listener;
    if (master_ != nullptr) { master_->client().track(listener); }
}

// To the master: what is published there reaches its replicas, not the other way round.
void RedisSentinel::subscribe(const redis::Subscription& subscription) {
    subscription_ = &subscription;
    if (master_ != nullptr) {
        master_->client().subscribe(subscription);
    } else {
        look();
    }
}

void RedisSentinel::unsubscribe() noexcept {
    subscription_ = nullptr;
    if (master_ != nullptr) { master_->client().unsubscribe(); }
}

void RedisSentinel::route(const RoutedCommandPtr& command) {
    auto sent = std::make_shared<redis::Command>([this, command](const redis::Outcome& outcome) {
        if (outcome.status == redis::Outcome::Status::reply && redis::error_code(*outcome.reply) == "READONLY") {
            look();
            refuse(command);
        } else {
            command->answer->answer(outcome);
        }
    });
    master_->client().submit(command->argv(), std::move(sent));
}

void RedisSentinel::shutdown() noexcept {
    RedisTopology::shutdown();
    for (const auto& node : sentinels_) { node->client().shutdown(); }
    if (master_ != nullptr) { master_->client().shutdown(); }
}

}  // namespace ws::nginx
