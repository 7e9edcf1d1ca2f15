// Has Redis report the keys that a client's connections read (redis/invalidations.h): keeps one more connection, the receiver,
// which is subscribed for the reports, and tells all others about it.
//
// Whatever might have been missed is told as such: the receiver lost and back, a reader lost (Redis forgets what it read).
// A connection can be lost without a sign, so all are asked for one from time to time.
#pragma once

#include "nginx/ngx.h"

#include "nginx/redis_connection.h"
#include "redis/backoff.h"
#include "redis/invalidations.h"

namespace ws::nginx {

class RedisClient;

class RedisTracking final {
public:
    // All arguments outlive the object. Opens nothing yet.
    RedisTracking(RedisClient& client, const RedisServer& server, ngx_log_t* log, redis::Invalidations& listener);
    RedisTracking(const RedisTracking&) = delete;
    RedisTracking& operator=(const RedisTracking&) = delete;
    ~RedisTracking();

    // From the event loop: connects the receiver, at first and at its next address. May readers start? Once it is there, or can't
    // be, the client's has_work() is called.
    [[nodiscard]] bool settled();

    [[nodiscard]] bool is_receiver(const RedisConnection& connection) const noexcept {
        return &connection == &receiver_;
    }
    void receiver_up();
    void receiver_failed(const char* why) noexcept;
    void receiver_closed();
    // The receiver is of no use to a reader: there shall be another.
    void start_again();
    // The server won't track; `why` quotes no secret. Until the worker ends.
    void refused(const char* why);

    void before_start(RedisConnection& reader);
    void reader_up(RedisConnection& reader);
    void reader_closed(bool server_down);

    void shutdown() noexcept;

private:
    enum class State { off, starting, on, lost, refused };

    static void on_retry(ngx_event_t* event) noexcept;
    static void on_check(ngx_event_t* event) noexcept;
    void check();
    void tell_off(const char* why) noexcept;

    RedisClient& client_;
    const RedisServer& server_;
    ngx_log_t* log_;
    redis::Invalidations& listener_;
    RedisConnection receiver_;
    redis::Backoff backoff_;
    State state_ = State::off;
    bool reads_lost_ = false;       // by a reader that is gone
    bool told_ = false;             // in the log: no reports come
    ngx_connection_t no_socket_{};  // events want one for the debug log
    ngx_event_t retry_{};
    ngx_event_t check_{};
};

}  // namespace ws::nginx
