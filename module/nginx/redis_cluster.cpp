#include "nginx/redis_cluster.h"

#include <algorithm>
#include <set>
#include <utility>

#include "redis/command_keys.h"
#include "redis/reply.h"
#include "redis/slot.h"

namespace ws::nginx {

namespace {

constexpr ngx_msec_t pace = 500;
constexpr ngx_msec_t interval = 2000;
constexpr int max_redirections = 5;

// A cluster may be cut into thousands of ranges.
constexpr std::size_t max_reply = 16 * 1024 * 1024;

using Status = redis::Outcome::Status;

}  // namespace

RedisCluster::RedisCluster(const RedisServer& server, status::RedisCounters& counters, ngx_log_t* log)
    : RedisTopology(server, counters, log, 0, pace) {}

RedisCluster::~RedisCluster() { RedisCluster::shutdown(); }

// First who is known already, then those of the configuration.
RedisClient* RedisCluster::source(std::size_t n) {
    if (n == 0) {
        asked_.clear();
        for (const auto& [name, member] : members_) { asked_.push_back(member.node.get()); }
        seeds_asked_ = false;
    }
    if (n == asked_.size() && !std::exchange(seeds_asked_, true)) {
        for (const RedisSource& source : server().sources) {
            if (members_.contains(source.name)) { continue; }
            RedisServer settings = server();
            settings.name = source.name;
            settings.tls_name = source.tls_name;
            settings.max_reply = max_reply;
            auto node = std::make_unique<RedisNode>(std::move(settings), *source.addr, counters(), log(), on_failure());
            asked_.push_back(&add(source.name, std::move(node)));
        }
    }
    return n < asked_.size() ? &asked_[n]->client() : nullptr;
}

RedisNode& RedisCluster::add(const std::string& name, std::unique_ptr<RedisNode> node) {
    Member& member = members_[name];
    member = {std::make_shared<Reports>(*this), std::move(node)};
    report(member);
    return *member.node;
}

void RedisCluster::report(Member& member) {
    if (listener_ != nullptr) { member.node->report_to(member.reports); }
}

RedisNode* RedisCluster::member(const redis::Endpoint& endpoint) {
    const std::string name = endpoint.text();
    const auto found = members_.find(name);
    if (found != members_.end()) { return found->second.node.get(); }
    RedisServer settings = server();
    settings.name = name;
    settings.max_reply = max_reply;
    auto node = RedisNode::announced(std::move(settings), endpoint, counters(), log(), on_failure());
    if (node != nullptr) { return &add(name, std::move(node)); }
    if (!std::exchange(named_, true)) {
        ngx_log_error(
            NGX_LOG_ERR, log(), 0,
            "ws: redis %s announces a node as \"%s\": an address is needed (cluster-preferred-endpoint-type ip)",
            server().name.c_str(), endpoint.host.c_str());
    }
    return nullptr;
}

bool RedisCluster::learn(const redisReply& reply, std::size_t n) {
    auto slots = redis::SlotTable::parse(reply, asked_[n]->endpoint());
    if (!slots) { return false; }
    const bool moved = std::exchange(moved_, false) || !slots->same(slots_);
    slots_ = std::move(*slots);
    retire_others();
    follow_subscription();
    if (moved && listener_ != nullptr) { listener_->missed(); }
    return true;
}

// Whoever serves no slot.
void RedisCluster::retire_others() {
    asked_.clear();
    std::set<std::string> serving;
    for (const redis::Endpoint& node : slots_.nodes()) { serving.insert(node.text()); }
    for (auto entry = members_.begin(); entry != members_.end();) {
        if (serving.contains(entry->first)) {
            ++entry;
        } else {
            if (entry->first == subscribed_) {
                entry->second.node->client().unsubscribe();
                subscribed_.clear();
                subscription_->subscriber->subscribed(false);
            }
            retire(std::move(entry->second.node));
            entry = members_.erase(entry);
        }
    }
    tell_tracked();
}

void RedisCluster::route(const RoutedCommandPtr& command) {
    const auto argv = command->argv();
    const auto keys = redis::command_keys(argv);
    const redis::Endpoint* owner = slots_.owner(keys.empty() ? 0 : redis::key_slot(keys.front()));
    RedisNode* node = owner != nullptr ? member(*owner) : nullptr;
    if (node == nullptr) {
        look();
        refuse(command);
        return;
    }
    submit(*node, command, false);
}

void RedisCluster::submit(RedisNode& node, const RoutedCommandPtr& command, bool asking) {
    auto sent = std::make_shared<redis::Command>(
        [this, command, from = node.endpoint()](const redis::Outcome& outcome) { answered(command, outcome, from); });
    if (asking) {
        node.client().submit_asking(command->argv(), std::move(sent));
    } else {
        node.client().submit(command->argv(), std::move(sent));
    }
}

void RedisCluster::answered(const RoutedCommandPtr& command, const redis::Outcome& outcome,
                            const redis::Endpoint& from) {
    if (outcome.status == Status::reply) {
        if (auto found = redis::redirection(*outcome.reply)) {
            if (found->to.host.empty()) { found->to.host = from.host; }
            follow(command, *found);
            return;
        }
    }
    if (outcome.status != Status::reply || redis::error_code(*outcome.reply) == "CLUSTERDOWN") { look(); }
    command->answer->answer(outcome);
}

void RedisCluster::follow(const RoutedCommandPtr& command, const redis::Redirection& redirection) {
    if (!redirection.ask) {
        slots_.assign(redirection.slot, redirection.slot, redirection.to);
        moved_ = true;
        look();
    }
    if (command->answer->cancelled()) { return; }
    RedisNode* node = ++command->redirections <= max_redirections ? member(redirection.to) : nullptr;
    if (node == nullptr) {
        refuse(command);
        return;
    }
    submit(*node, command, redirection.ask);
}

void RedisCluster::track(redis::Invalidations& listener) {
    listener_ = &listener;
    for (auto& [name, member] : members_) { report(member); }
}

void RedisCluster::subscribe(const redis::Subscription& subscription) {
    subscription_ = &subscription;
    // No command is ever told that the slot has moved: PUBLISH has no key.
    look_every(interval);
}

void RedisCluster::unsubscribe() noexcept {
    subscription_ = nullptr;
    const auto found = members_.find(std::exchange(subscribed_, {}));
    if (found != members_.end()) { found->second.node->client().unsubscribe(); }
}

// To the node where commands with the last channel for a key go: PUBLISH says then how many it has reached.
void RedisCluster::follow_subscription() {
    if (subscription_ == nullptr) { return; }
    const redis::Endpoint* owner = slots_.owner(redis::key_slot(subscription_->channels.back()));
    RedisNode* node = owner != nullptr ? member(*owner) : nullptr;
    const std::string name = node != nullptr ? node->endpoint().text() : std::string();
    if (name == subscribed_) { return; }
    if (const auto found = members_.find(subscribed_); found != members_.end()) {
        found->second.node->client().unsubscribe();
    }
    if (!subscribed_.empty()) { subscription_->subscriber->subscribed(false); }
    subscribed_ = name;
    if (node != nullptr) { node->client().subscribe(*subscription_); }
}

void RedisCluster::Reports::tracked(bool on) {
    state = on ? State::on : State::off;
    cluster.tell_tracked();
}

// Reports come if they do from all.
void RedisCluster::tell_tracked() {
    using State = Reports::State;
    const auto any = [this](State state) {
        return std::ranges::any_of(members_,
                                   [state](const auto& entry) { return entry.second.reports->state == state; });
    };
    const bool on = any(State::on) && !any(State::off);
    if (listener_ != nullptr && std::exchange(tracked_, on) != on) { listener_->tracked(on); }
}

void RedisCluster::shutdown() noexcept {
    RedisTopology::shutdown();
    for (const auto& [name, member] : members_) { member.node->client().shutdown(); }
}

}  // namespace ws::nginx
