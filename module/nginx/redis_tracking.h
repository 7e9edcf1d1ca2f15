// Has Redis report the keys that a client's connections read (redis/invalidations.h), to a receiver that all of them are told about.
//
// Whatever might have been missed is told as such: the receiver lost and back, a reader lost (Redis forgets what it read).
// A reader can be lost without a sign, so all are asked for one from time to time.
#pragma once

#include "nginx/ngx.h"

#include "nginx/redis_receiver.h"
#include "redis/invalidations.h"

namespace ws::nginx {

class RedisTracking final : private RedisReceiver::Owner {
public:
    // All arguments outlive the object. Opens nothing yet.
    RedisTracking(RedisClient& client, const RedisServer& server, ngx_log_t* log, redis::Invalidations& listener);
    RedisTracking(const RedisTracking&) = delete;
    RedisTracking& operator=(const RedisTracking&) = delete;

    [[nodiscard]] RedisReceiver& receiver() noexcept { return receiver_; }
    // May readers start? Once the receiver is there, or can't be, the client's has_work() is called.
    [[nodiscard]] bool settled() const noexcept { return state_ != State::starting; }

    // The receiver is of no use to a reader: there shall be another.
    void start_again();
    // The server won't track; `why` quotes no secret. Until the worker ends.
    void refused(const char* why);

    void before_start(RedisConnection& reader);
    void reader_up(RedisConnection& reader);
    void reader_closed(bool server_down);

private:
    enum class State { starting, on, lost, refused };

    void receiver_up() override;
    void receiver_failed(const char* why) noexcept override;
    void receiver_closed() override;
    void receiver_checked() override;

    RedisClient& client_;
    redis::Invalidations& listener_;
    RedisReceiver receiver_;
    State state_ = State::starting;
    bool reads_lost_ = false;  // by a reader that is gone
};

}  // namespace ws::nginx
