// Keeps a client's receiver: one more connection, for what Redis tells without being asked (redis/pipeline.h).
//
// It is opened again, with growing delays, whenever it is lost. That may happen without a sign, so it is asked for one from time to time.
#pragma once

#include "nginx/ngx.h"

#include "nginx/redis_connection.h"
#include "redis/backoff.h"

namespace ws::nginx {

class RedisClient;

class RedisReceiver final {
public:
    // Told from the event loop.
    class Owner {
    public:
        virtual void receiver_up() = 0;
        // It couldn't be had, or was lost; receiver_closed() follows.
        virtual void receiver_failed(const char* why) noexcept = 0;
        virtual void receiver_closed() = 0;
        // It is being asked for a sign of life: time to ask others.
        virtual void receiver_checked() {}

    protected:
        ~Owner() = default;
    };

    // For the log: "ws: redis NAME <off> (why): <so>", once, and then "ws: redis NAME <back>".
    struct Words {
        const char* off;
        const char* so;
        const char* back;
    };

    // All arguments outlive the object. Opens nothing yet.
    RedisReceiver(RedisClient& client, const RedisServer& server, ngx_log_t* log,
                  const RedisConnection::Receives& receives, const Words& words, Owner& owner);
    RedisReceiver(const RedisReceiver&) = delete;
    RedisReceiver& operator=(const RedisReceiver&) = delete;
    ~RedisReceiver();

    // From the event loop: connects, at first and at its next address.
    void start_wanted();

    // Says in the log that nothing comes, if it hasn't said so.
    void log_off(const char* why) noexcept;
    // This connection is of no use: there shall be another.
    void replace();
    // Once it is lost, there is no other.
    void give_up() noexcept;

    [[nodiscard]] bool is_up() const noexcept { return connection_.state() == RedisConnection::State::ready; }
    [[nodiscard]] long long id() const noexcept { return connection_.id(); }  // when it is up
    [[nodiscard]] ngx_uint_t address() const noexcept { return connection_.address(); }

    // From RedisClient.
    [[nodiscard]] bool is(const RedisConnection& connection) const noexcept { return &connection == &connection_; }
    void up();
    void failed(const char* why) noexcept { owner_.receiver_failed(why); }
    void closed();
    // It is gone, and closed() hasn't been told.
    [[nodiscard]] bool is_dropped() const noexcept {
        return begun_ && !given_up_ && !retry_.timer_set && connection_.state() == RedisConnection::State::closed;
    }
    void shutdown() noexcept;

private:
    static void on_retry(ngx_event_t* event) noexcept;
    static void on_check(ngx_event_t* event) noexcept;
    void check();

    RedisClient& client_;
    const RedisServer& server_;
    ngx_log_t* log_;
    const Words& words_;
    Owner& owner_;
    RedisConnection connection_;
    redis::Backoff backoff_;
    bool begun_ = false;
    bool given_up_ = false;
    bool told_ = false;             // in the log: nothing comes
    ngx_connection_t no_socket_{};  // events want one for the debug log
    ngx_event_t retry_{};
    ngx_event_t check_{};
};

}  // namespace ws::nginx
