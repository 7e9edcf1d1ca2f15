// Commands to one Redis server over nginx's event loop: one client for each worker process and server.
//
// Keeps a few pipelined connections, opened at first use. When the server fails, that is logged once, commands are refused at
// once instead of waiting, and one connection is tried again with growing delays until the server is back.
#pragma once

#include "nginx/ngx.h"

#include "nginx/redis_connection.h"
#include "nginx/redis_server.h"
#include "nginx/redis_store.h"
#include "nginx/redis_subscription.h"
#include "nginx/redis_tracking.h"
#include "redis/backoff.h"
#include "redis/invalidations.h"
#include "redis/store.h"
#include "status/figures.h"

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace ws::nginx {

class RedisClient final : public RedisStore {
public:
    // Opens nothing yet. `server`, `counters` and `log` (the cycle's) must outlive the client. Only in a process that runs the event
    // loop. `on_failure` is called at each attempt that fails, from within the client: it must not touch it.
    RedisClient(const RedisServer& server, status::RedisCounters& counters, ngx_log_t* log,
                std::function<void()> on_failure = nullptr);
    RedisClient(const RedisClient&) = delete;
    RedisClient& operator=(const RedisClient&) = delete;
    ~RedisClient() override;

    // See redis::Store. To be called from the event loop (a handler of an event, timer or request). Callbacks run from the event loop,
    // in a handler of ours. A command with no connection to go to is answered `unavailable`. Throws std::bad_alloc only.
    [[nodiscard]] std::unique_ptr<redis::Pending> send(std::span<const std::string_view> argv, Done done) override;

    // The same for a command that somebody else has a handle of.
    void submit(std::span<const std::string_view> argv, std::shared_ptr<redis::Command> command);
    // With ASKING in front of it (Redis Cluster).
    void submit_asking(std::span<const std::string_view> argv, std::shared_ptr<redis::Command> command);

    // See redis::Store.
    void track(redis::Invalidations& listener) override;

    // See RedisStore.
    void subscribe(const redis::Subscription& subscription) override;
    void unsubscribe() noexcept override;

    // Ends: answers what is under way `unavailable`, closes all. Not from a callback; afterwards only to be destroyed.
    void retire();

    void shutdown() noexcept override;

private:
    friend class RedisConnection;
    friend class RedisReceiver;
    friend class RedisTracking;

    // From RedisConnection.
    void has_work() noexcept;                 // it is wanted
    void is_up(RedisConnection& connection);  // it is ready
    void is_down(const RedisConnection& connection, const char* reason, ngx_err_t err,
                 std::size_t lost) noexcept;  // it failed, with so many commands
    void is_closed(const RedisConnection& connection);
    void is_dropped() noexcept;  // one is gone, and there was no memory to say so
    void tracking_is_refused(const char* why);
    void tracking_has_failed();
    // There is something to hear about until the worker has gone.
    [[nodiscard]] bool listens() const noexcept { return tracking_ != nullptr || subscription_ != nullptr; }

    // From RedisTracking and RedisReceiver.
    [[nodiscard]] ngx_uint_t address() const noexcept { return address_; }
    template <typename Visit>
    void for_each_ready(Visit visit) {
        for (const auto& connection : connections_) {
            if (connection->state() == RedisConnection::State::ready) { visit(*connection); }
        }
    }

    static void on_work(ngx_event_t* event) noexcept;
    static void on_retry(ngx_event_t* event) noexcept;

    void start_wanted();
    void tell_dropped();
    // Whose connection that is; null: it is one for commands.
    [[nodiscard]] RedisReceiver* receiver_of(const RedisConnection& connection) noexcept;
    RedisConnection* choose();
    void refuse(std::shared_ptr<redis::Command> command);
    void retry_later() noexcept;

    void set_state(status::RedisState state) noexcept { counters_.state.set(static_cast<std::int64_t>(state)); }

    const RedisServer& server_;
    status::RedisCounters& counters_;
    std::unique_ptr<RedisTracking> tracking_;
    std::unique_ptr<RedisSubscription> subscription_;
    ngx_log_t* log_;
    std::function<void()> on_failure_;
    std::vector<std::unique_ptr<RedisConnection>> connections_;
    std::vector<std::shared_ptr<redis::Command>> refused_;
    redis::Backoff backoff_;
    ngx_uint_t address_ = 0;  // the last one that worked
    std::size_t failed_ = 0;  // commands refused or lost since the server failed
    bool down_ = false;
    bool dropped_ = false;  // a connection: to be told
    bool shut_down_ = false;
    ngx_connection_t no_socket_{};  // events want one for the debug log
    ngx_event_t work_{};            // posted: connections wanted, refusals to tell
    ngx_event_t retry_{};           // timer
};

}  // namespace ws::nginx
