// TLS towards Redis (`ws_redis rediss://...`), over nginx's own: what is configured, and the steps of a connection.
//
//   [ssl_verify=on|off] [ssl_name=NAME] [ssl_trusted_certificate=FILE] [ssl_certificate=FILE ssl_certificate_key=FILE]
#pragma once

#include "nginx/ngx.h"

#include <string>
#include <string_view>

namespace ws::nginx {

// Read-only after prepare().
class RedisTls final {
public:
    // Takes a parameter of ws_redis. False: it isn't one of these. `wrong` is set when its value is wrong.
    [[nodiscard]] bool option(std::string_view text, const char*& wrong);
    // Were there any?
    [[nodiscard]] bool configured() const noexcept { return configured_; }

    // Loads the files; what they hold lives as long as cf->pool. Null, or a sentence for `nginx -t`.
    [[nodiscard]] const char* prepare(ngx_conf_t* cf);

    // The name that a certificate must have: ssl_name=, or the host itself (without the brackets of an IPv6 address).
    [[nodiscard]] std::string_view name_of(std::string_view host) const noexcept;

    // Begins the handshake; nginx's result of it. `socket` has a pool. `name` is not empty.
    [[nodiscard]] ngx_int_t handshake(ngx_connection_t* socket, const std::string& name) const noexcept;

    // After the handshake: null, or what is wrong with the server's certificate.
    [[nodiscard]] const char* verify(ngx_connection_t* socket, const std::string& name) const noexcept;

    // Says goodbye, without waiting for an answer. Before the socket is closed.
    static void shutdown(ngx_connection_t* socket) noexcept;

private:
    bool configured_ = false;
    bool verify_ = true;
    std::string name_;
    std::string trusted_certificate_;
    std::string certificate_;
    std::string certificate_key_;
#if (NGX_SSL)
    ngx_ssl_t* context_ = nullptr;
#endif
};

}  // namespace ws::nginx
