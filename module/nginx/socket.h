// A relay's peer over nginx's connection: plain TCP, unix sockets and TLS alike.
#pragma once

#include "nginx/ngx.h"

#include "relay/peer.h"

namespace ws::nginx {

class Socket final : public relay::Peer {
public:
    // A request's client: what nginx still has to send of the response goes first.
    [[nodiscard]] static Socket client(ngx_http_request_t* r) noexcept { return Socket(r->connection, r, nullptr); }
    // Its backend: what is received counts for $upstream_bytes_received.
    [[nodiscard]] static Socket backend(ngx_http_upstream_t* u) noexcept {
        return Socket(u->peer.connection, nullptr, &u->state->bytes_received);
    }

    [[nodiscard]] Result recv(std::span<char> into) noexcept override;
    [[nodiscard]] Result send(std::string_view data) noexcept override;
    void hold() noexcept override;
    bool finish_sending() noexcept override;

    // Before the socket is closed: takes what has come meanwhile, if it isn't without end. Unread bytes would make the close a
    // reset, and the peer lose what it has not read yet.
    void discard(std::span<char> scratch) noexcept;

    // Asks for the events that the last reads and writes have shown to be needed. False: the connection can't be used.
    [[nodiscard]] bool rearm() noexcept {
        // As the two functions would find out.
        const bool edges =
            (ngx_event_flags & NGX_USE_CLEAR_EVENT) && connection_->read->active && connection_->write->active;
        return edges || failed_ || ask_for_events();
    }

    // nginx still has to send some of the response.
    [[nodiscard]] bool response_waits() const noexcept {
        return request_ != nullptr && (request_->out != nullptr || connection_->buffered);
    }

    // What is received from now on is added here.
    void count_received(off_t& total) noexcept { received_ = &total; }

    // The request goes, its response sent; the connection stays.
    void forget_request() noexcept { request_ = nullptr; }

    [[nodiscard]] ngx_connection_t* connection() const noexcept { return connection_; }

private:
    Socket(ngx_connection_t* connection, ngx_http_request_t* request, off_t* received) noexcept;
    [[nodiscard]] bool response_sent() noexcept;
    [[nodiscard]] bool ask_for_events() noexcept;

    ngx_connection_t* connection_;
    ngx_http_request_t* request_;
    off_t* received_;
    bool failed_ = false;
};

}  // namespace ws::nginx
