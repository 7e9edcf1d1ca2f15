// One socket to a Redis server: connecting, TLS, logging in, writing and reading a pipeline, timing out, closing.
//
// Owned by a RedisClient, which outlives it. Closed until want() is called, and again after a failure.
#pragma once

#include "nginx/ngx.h"

#include "nginx/redis_server.h"
#include "redis/pipeline.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ws::nginx {

class RedisClient;

class RedisConnection {
public:
    enum class State {
        closed,
        wanted,      // start() is to be called from the event loop
        connecting,  // or logging in
        ready,
    };

    // Who hears what comes unasked for. One of them makes the connection a receiver (redis/pipeline.h), which takes no commands.
    struct Receives {
        redis::Invalidations* listener = nullptr;
        const redis::Subscription* subscription = nullptr;
    };

    RedisConnection(RedisClient& client, const RedisServer& server, ngx_log_t* log, const Receives& receives);
    RedisConnection(const RedisConnection&) = delete;
    RedisConnection& operator=(const RedisConnection&) = delete;
    ~RedisConnection();

    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] std::size_t load() const noexcept { return pipeline_ ? pipeline_->load() : 0; }
    // Commands wait to be written together: until the turn of the event loop ends, or the login.
    [[nodiscard]] bool gathers() const noexcept { return state_ == State::ready ? socket_->write->posted : load() > 0; }

    // Asks for a socket: closed becomes wanted. Addresses are tried in turn, beginning with number `address`.
    void want(ngx_uint_t address);

    // Has the keys that are read from now on reported to this receiver. When wanted or ready.
    void track(long long receiver);
    [[nodiscard]] long long receiver() const noexcept { return receiver_; }  // 0: nobody
    [[nodiscard]] bool tracking_refused() const noexcept { return tracking_refused_; }

    // A receiver's CLIENT ID. When ready.
    [[nodiscard]] long long id() const noexcept { return pipeline_->id(); }

    // Asks a receiver's server for a sign of life; without one since the last call, the connection has failed. When ready.
    void check() noexcept;

    // Connects. Only when wanted, and never while a caller of RedisClient::send() is on the stack.
    void start() noexcept;

    // Queues a command; it is written from the event loop. Not when closed.
    void push(std::span<const std::string_view> argv, std::shared_ptr<redis::Command> command);

    // The number of the address in use.
    [[nodiscard]] ngx_uint_t address() const noexcept { return address_; }

    // Closes, and answers what is under way `unavailable`. Not from a callback.
    void end();

    // Closes without answering anything.
    void drop() noexcept;

private:
    static void on_read(ngx_event_t* event) noexcept;
    static void on_write(ngx_event_t* event) noexcept;

    template <typename Step>
    void guarded(Step step) noexcept;
    void on_tracked(const redis::Outcome& outcome);
    [[nodiscard]] std::unique_ptr<redis::Pipeline> make_pipeline() const;
    void connect();
    bool established();
    bool encrypted();
    bool verified();
    static void on_handshake(ngx_connection_t* socket) noexcept;
    static void on_log(ngx_log_t* log, ngx_uint_t level, u_char* text, size_t size) noexcept;
    void read();
    bool take(std::string_view bytes);
    void write();
    void late();
    void watch() noexcept;
    void fail(const char* reason, ngx_err_t err, redis::Outcome::Status status);
    void fail_io(const char* reason);
    void close(redis::Outcome::Status status);
    void close_socket() noexcept;

    RedisClient& client_;
    const RedisServer& server_;
    ngx_log_t* cycle_log_;
    ngx_log_t log_;          // mutes what nginx would say at each attempt; alerts pass
    std::string tls_fault_;  // what it said of TLS
    Receives receives_;
    long long receiver_ = 0;
    bool tracking_refused_ = false;
    std::unique_ptr<redis::Pending> tracking_;  // CLIENT TRACKING under way
    bool silent_ = false;                       // a receiver's server, since check()
    State state_ = State::closed;
    ngx_connection_t* socket_ = nullptr;
    bool established_ = false;  // it is connected, and encrypted if so configured
    ngx_uint_t address_ = 0;
    ngx_uint_t tried_ = 0;  // addresses that have failed since want()
    ngx_msec_t ready_at_ = 0;
    std::unique_ptr<redis::Pipeline> pipeline_;
};

}  // namespace ws::nginx
