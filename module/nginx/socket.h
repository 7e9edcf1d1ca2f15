// A relay's peer over nginx's connection: plain TCP, unix sockets and TLS alike.
#pragma once

#include "nginx/ngx.h"

#include "relay/peer.h"

namespace ws::nginx {

class Socket final : public relay::Peer {
public:
    // With a request, the connection is its client's, and what nginx still has to send of the response goes first.
    explicit Socket(ngx_connection_t* connection, ngx_http_request_t* request = nullptr) noexcept;

    [[nodiscard]] Result recv(std::span<char> into) noexcept override;
    [[nodiscard]] Result send(std::string_view data) noexcept override;
    bool finish_sending() noexcept override;

    // Asks for the events that the last reads and writes have shown to be needed. False: the connection can't be used.
    [[nodiscard]] bool rearm() noexcept;

    [[nodiscard]] ngx_connection_t* connection() const noexcept { return connection_; }

private:
    [[nodiscard]] bool response_sent() noexcept;

    ngx_connection_t* connection_;
    ngx_http_request_t* request_;
    bool failed_ = false;
};

}  // namespace ws::nginx
