// The sessions of one Redis server in one worker process, on nginx's event loop.
#pragma once

#include "nginx/ngx.h"

#include <memory>
#include <utility>

#include "auth/sessions.h"
#include "nginx/redis_store.h"
#include "status/figures.h"

namespace ws::nginx {

class RedisSessions final : private auth::Clock {
public:
    // All arguments outlive the object; `log` is the cycle's.
    RedisSessions(const RedisServer& server, status::RedisCounters& counters, ngx_log_t* log);
    RedisSessions(const RedisSessions&) = delete;
    RedisSessions& operator=(const RedisSessions&) = delete;
    ~RedisSessions();

    // See auth::Sessions.
    [[nodiscard]] std::unique_ptr<auth::Watch> watch(const auth::Question& question, auth::Answer answer) {
        auto watch = sessions_.watch(question, std::move(answer));
        count();
        return watch;
    }
    [[nodiscard]] RedisStore& store() noexcept { return *store_; }

    // For exit_process.
    void shutdown() noexcept;

private:
    [[nodiscard]] auth::Milliseconds now() const noexcept override;
    void wake_at(auth::Milliseconds time) noexcept override;
    [[nodiscard]] auth::SessionsOptions options();
    static void on_timer(ngx_event_t* event) noexcept;
    void count() noexcept;

    const RedisServer& server_;
    status::RedisCounters& counters_;
    ngx_log_t* log_;
    std::unique_ptr<RedisStore> store_;
    auth::Sessions sessions_;
    ngx_connection_t no_socket_{};  // events want one for the debug log
    ngx_event_t timer_{};
    ngx_event_t soon_{};
    bool running_ = false;
    auth::Sessions::Tally counted_;
};

}  // namespace ws::nginx
