// A relay on nginx's events: takes a connection over after the 101, and hands it back at the end, so that nginx finalizes,
// logs and frees it as it always does.
#pragma once

#include "nginx/ngx.h"

#include <memory>
#include <optional>
#include <string>

#include "nginx/connection.h"
#include "nginx/socket.h"
#include "nginx/tunnel_backend.h"
#include "nginx/worker.h"
#include "relay/relay.h"
#include "status/connection_meter.h"

namespace ws::nginx {

class Tunnel final {
public:
    // When the 101 is on its way to the client. Throws std::bad_alloc.
    static void take_over(Connection& connection, std::unique_ptr<relay::Delivery> delivery,
                          std::unique_ptr<TunnelBackend> backend);

    Tunnel(Connection& connection, std::unique_ptr<relay::Delivery> delivery, std::unique_ptr<TunnelBackend> backend,
           Worker& worker);
    Tunnel(const Tunnel&) = delete;
    Tunnel& operator=(const Tunnel&) = delete;
    ~Tunnel();

    // The worker has been told to go: end with 1012, at a random moment in the `part`th (from 0) of `parts` equal parts of
    // the time that ws_drain_timeout gives, so that the ends are spread evenly.
    void drain(std::size_t part, std::size_t parts) noexcept;

    // The session is gone, or the connection has a new context.
    void session_changed();

    // For the worker: acts on the change, once it is this tunnel's turn. The tunnel may be gone afterwards.
    void on_session() noexcept;

    // The request is about to be released (nginx/released_request.h), if that can be.
    [[nodiscard]] bool can_release_request() const noexcept { return backend_->can_release_request(); }
    void forget_request() noexcept;

    // The client's events. The tunnel may be gone afterwards.
    void client_readable() noexcept;
    void client_writable() noexcept;

    // For the backend: its events. The tunnel may be gone afterwards.
    void backend_readable() noexcept;
    void backend_writable() noexcept;
    void backend_ready() noexcept;  // the delivery has got what it waits for, or may try again
    void abort() noexcept;          // for want of memory

    // Somebody else in the worker wants something of this connection. The tunnel may be gone afterwards. Not from an event of its own.
    [[nodiscard]] relay::CommandResult command(const context::Command& command) noexcept;

    [[nodiscard]] std::string_view id() const noexcept { return connection_.id; }
    // The SHA-256 of its token. Empty: it has none.
    [[nodiscard]] std::string session_name() const;
    // JSON; empty: none.
    [[nodiscard]] std::string_view context() const noexcept;
    // For ws_control.
    [[nodiscard]] std::string describe() const;

    [[nodiscard]] Summary summary() const noexcept;

private:
    static void on_client_read(ngx_http_request_t* r) noexcept;
    static void on_client_write(ngx_http_request_t* r) noexcept;
    static void on_timer(ngx_event_t* event) noexcept;

    void install();
    [[nodiscard]] relay::Relay::State start();
    template <class Step>
    void drive(Step step) noexcept;
    [[nodiscard]] relay::Relay::State on_time();
    [[nodiscard]] relay::Relay::State follow_session();
    [[nodiscard]] bool nothing_waits() const noexcept;
    void arm_timer() noexcept;
    void hand_back() noexcept;
    void finish() noexcept;
    void leave_worker() noexcept;
    void log_end(const Summary& summary) noexcept;

    Connection& connection_;
    Worker& worker_;
    Worker::Tunnels::iterator place_;
    std::optional<Worker::Notices::iterator> notice_;
    bool ended_ = false;
    Socket client_;
    std::unique_ptr<TunnelBackend> backend_;
    relay::Relay relay_;
    status::ConnectionMeter meter_;
    std::string early_client_;  // read by nginx before the take-over
    bool started_ = false;
    const ngx_msec_t opened_ = ngx_current_msec;
    ngx_msec_t drain_at_ = 0;    // 0: not draining
    ngx_msec_t release_at_ = 0;  // the request; 0: not, or no more
    OwnedEvent<Tunnel> timer_;
};

}  // namespace ws::nginx
