// Keeps a client subscribed to channels, over a connection of its own: opened again, with growing delays, whenever it is lost.
#pragma once

#include "nginx/ngx.h"

#include "nginx/redis_connection.h"
#include "redis/backoff.h"
#include "redis/subscription.h"

namespace ws::nginx {

class RedisClient;

class RedisSubscription final {
public:
    // All arguments outlive the object. Opens nothing yet.
    RedisSubscription(RedisClient& client, const RedisServer& server, ngx_log_t* log,
                      const redis::Subscription& subscription);
    RedisSubscription(const RedisSubscription&) = delete;
    RedisSubscription& operator=(const RedisSubscription&) = delete;
    ~RedisSubscription();

    // From the event loop: opens the connection, at first and at its next address.
    void start_wanted();

    [[nodiscard]] bool is_receiver(const RedisConnection& connection) const noexcept {
        return &connection == &receiver_;
    }
    void receiver_up();
    void receiver_failed(const char* why) noexcept;
    void receiver_closed();

    void shutdown() noexcept;

private:
    static void on_retry(ngx_event_t* event) noexcept;
    static void on_check(ngx_event_t* event) noexcept;
    void want();

    RedisClient& client_;
    const RedisServer& server_;
    ngx_log_t* log_;
    const redis::Subscription& subscription_;
    RedisConnection receiver_;
    redis::Backoff backoff_;
    bool wanted_ = false;  // since the beginning
    bool on_ = false;
    bool told_ = false;             // in the log: no messages come
    ngx_connection_t no_socket_{};  // events want one for the debug log
    ngx_event_t retry_{};
    ngx_event_t check_{};
};

}  // namespace ws::nginx
