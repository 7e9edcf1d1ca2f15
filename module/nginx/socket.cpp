#include "nginx/socket.h"

namespace ws::nginx {

Socket::Socket(ngx_connection_t* connection, ngx_http_request_t* request, off_t* received) noexcept
    : connection_(connection), request_(request), received_(received) {
#if (NGX_SSL)
    // What couldn't be sent at once is tried again from another address, that of the relay's copy.
    if (connection->ssl != nullptr) { SSL_set_mode(connection->ssl->connection, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER); }
#endif
}

Socket::Result Socket::recv(std::span<char> into) noexcept {
    if (failed_) { return {Status::error, 0}; }
    if (!connection_->read->ready) { return {Status::again, 0}; }
    const ssize_t n = connection_->recv(connection_, reinterpret_cast<u_char*>(into.data()), into.size());
    if (n > 0) {
        if (received_ != nullptr) { *received_ += n; }
        return {Status::ok, static_cast<std::size_t>(n), connection_->read->ready != 0};
    }
    if (n == 0) { return {Status::end, 0}; }
    if (n == NGX_AGAIN) { return {Status::again, 0}; }
    failed_ = true;
    return {Status::error, 0};
}

Socket::Result Socket::send(std::string_view data) noexcept {
    if (failed_) { return {Status::error, 0}; }
    if (!connection_->write->ready || !response_sent()) { return {failed_ ? Status::error : Status::again, 0}; }
    // Not altered: the type is nginx's.
    auto* bytes = const_cast<u_char*>(reinterpret_cast<const u_char*>(data.data()));
    const ssize_t n = connection_->send(connection_, bytes, data.size());
    if (n > 0) { return {Status::ok, static_cast<std::size_t>(n)}; }
    if (n == NGX_AGAIN || n == 0) { return {Status::again, 0}; }
    return {Status::error, 0};
}

bool Socket::response_sent() noexcept {
    if (!response_waits()) { return true; }
    const ngx_int_t rc = ngx_http_output_filter(request_, nullptr);
    failed_ = rc == NGX_ERROR;
    return rc == NGX_OK;
}

void Socket::discard(std::span<char> scratch) noexcept {
    // Who goes on sending all the time has himself to blame.
    static constexpr int most_reads = 16;
    for (int n = 0; n < most_reads && recv(scratch).status == Status::ok; ++n) {}
}

void Socket::hold() noexcept {
#if (NGX_SSL)
    if (connection_->ssl != nullptr) { return; }  // finish_sending() does nothing there
#endif
    (void)ngx_tcp_nopush(connection_->fd);  // not for unix sockets, which don't care
}

bool Socket::finish_sending() noexcept {
#if (NGX_SSL)
    // A close_notify is answered by one (RFC 5246 7.2.1), which would cut off what the peer still has to say.
    if (connection_->ssl != nullptr) { return false; }
#endif
    return ngx_shutdown_socket(connection_->fd, NGX_WRITE_SHUTDOWN) == 0;
}

bool Socket::ask_for_events() noexcept {
    const ngx_event_t& read = *connection_->read;
    const ngx_uint_t flags = read.eof || read.error ? NGX_CLOSE_EVENT : 0;
    return ngx_handle_read_event(connection_->read, flags) == NGX_OK &&
           ngx_handle_write_event(connection_->write, 0) == NGX_OK;
}

}  // namespace ws::nginx
