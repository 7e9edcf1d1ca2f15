// The sessions of one Redis server in one worker process, on nginx's event loop.
#pragma once

#include "nginx/ngx.h"

#include "auth/sessions.h"
#include "nginx/redis_client.h"

namespace ws::nginx {

class RedisSessions final : private auth::Clock {
public:
    // `server` and `log` (the cycle's) outlive the object.
    RedisSessions(const RedisServer& server, ngx_log_t* log);
    RedisSessions(const RedisSessions&) = delete;
    RedisSessions& operator=(const RedisSessions&) = delete;
    ~RedisSessions();

    [[nodiscard]] auth::Sessions& sessions() noexcept { return sessions_; }

    // For exit_process.
    void shutdown() noexcept;

private:
    [[nodiscard]] auth::Milliseconds now() const noexcept override;
    void wake_at(auth::Milliseconds time) noexcept override;
    [[nodiscard]] auth::SessionsOptions options();
    static void on_timer(ngx_event_t* event) noexcept;

    const RedisServer& server_;
    ngx_log_t* log_;
    RedisClient client_;
    auth::Sessions sessions_;
    ngx_connection_t no_socket_{};  // events want one for the debug log
    ngx_event_t timer_{};
    ngx_event_t soon_{};
    bool running_ = false;
};

}  // namespace ws::nginx
