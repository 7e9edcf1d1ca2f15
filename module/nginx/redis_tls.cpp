#include "nginx/redis_tls.h"

#include <array>

namespace ws::nginx {

bool RedisTls::option(std::string_view text, const char*& wrong) {
    struct Text {
        std::string_view name;
        std::string* value;
        const char* empty;
    };
    const std::array<Text, 4> texts{{
        {"ssl_name=", &name_, "has a parameter ssl_name= without a value"},
        {"ssl_trusted_certificate=", &trusted_certificate_, "has a parameter ssl_trusted_certificate= without a value"},
        {"ssl_certificate=", &certificate_, "has a parameter ssl_certificate= without a value"},
        {"ssl_certificate_key=", &certificate_key_, "has a parameter ssl_certificate_key= without a value"},
    }};
    for (const auto& [name, value, empty] : texts) {
        if (!text.starts_with(name)) { continue; }
        *value = text.substr(name.size());
        if (value->empty()) { wrong = empty; }
        configured_ = true;
        return true;
    }
    if (text.starts_with("ssl_verify=")) {
        verify_ = text == "ssl_verify=on";
        if (!verify_ && text != "ssl_verify=off") { wrong = "ssl_verify must be on or off"; }
        configured_ = true;
        return true;
    }
    return false;
}

#if (NGX_SSL)

namespace {

// Certificates between the server's and a trusted one. OpenSSL's own default is no bound at all.
constexpr ngx_int_t verify_depth = 10;

// RFC 6066 3: a name in SNI is no literal address; and addresses in certificates are another kind of name.
bool is_address(const std::string& name) noexcept {
    const std::array<int, 2> families{AF_INET, AF_INET6};
    for (const int family : families) {
        in6_addr parsed{};
        if (inet_pton(family, name.c_str(), &parsed) == 1) { return true; }
    }
    return false;
}

bool has_address(ngx_connection_t* socket, const std::string& address) noexcept {
    X509* certificate = SSL_get_peer_certificate(socket->ssl->connection);
    if (certificate == nullptr) { return false; }
    const bool found = X509_check_ip_asc(certificate, address.c_str(), 0) == 1;
    X509_free(certificate);
    return found;
}

}  // namespace

const char* RedisTls::prepare(ngx_conf_t* cf) {
    static constexpr const char* failed = "can't use TLS as configured (see the line above)";
    if (certificate_.empty() != certificate_key_.empty()) {
        return "needs both ssl_certificate= and ssl_certificate_key=";
    }
    context_ = static_cast<ngx_ssl_t*>(ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t)));
    if (context_ == nullptr) { throw std::bad_alloc{}; }
    context_->log = cf->log;
    if (ngx_ssl_create(context_, NGX_SSL_TLSv1_2 | NGX_SSL_TLSv1_3, nullptr) != NGX_OK) { return failed; }
    ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    if (cleanup == nullptr) {
        ngx_ssl_cleanup_ctx(context_);
        throw std::bad_alloc{};
    }
    cleanup->handler = ngx_ssl_cleanup_ctx;
    cleanup->data = context_;

    if (!certificate_.empty()) {
        ngx_str_t certificate = copy(cf->pool, certificate_);
        ngx_str_t key = copy(cf->pool, certificate_key_);
        if (ngx_ssl_certificate(cf, context_, &certificate, &key, nullptr) != NGX_OK) { return failed; }
    }
    if (!verify_) { return nullptr; }
    if (trusted_certificate_.empty()) {
        SSL_CTX_set_verify_depth(context_->ctx, verify_depth);
        return SSL_CTX_set_default_verify_paths(context_->ctx) == 1 ? nullptr : failed;
    }
    ngx_str_t trusted = copy(cf->pool, trusted_certificate_);
    return ngx_ssl_trusted_certificate(cf, context_, &trusted, verify_depth) == NGX_OK ? nullptr : failed;
}

ngx_int_t RedisTls::handshake(ngx_connection_t* socket, const std::string& name) const noexcept {
    if (ngx_ssl_create_connection(context_, socket, NGX_SSL_BUFFER | NGX_SSL_CLIENT) != NGX_OK) { return NGX_ERROR; }
    // What couldn't be sent at once may be sent again from another address: a pipeline's output grows.
    SSL_set_mode(socket->ssl->connection, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (!is_address(name) && SSL_set_tlsext_host_name(socket->ssl->connection, name.c_str()) == 0) { return NGX_ERROR; }
    return ngx_ssl_handshake(socket);
}

const char* RedisTls::verify(ngx_connection_t* socket, const std::string& name) const noexcept {
    if (!verify_) { return nullptr; }
    const long result = SSL_get_verify_result(socket->ssl->connection);
    if (result != X509_V_OK) { return X509_verify_cert_error_string(result); }
    ngx_str_t text{name.size(), reinterpret_cast<u_char*>(const_cast<char*>(name.data()))};
    const bool right = is_address(name) ? has_address(socket, name) : ngx_ssl_check_host(socket, &text) == NGX_OK;
    return right ? nullptr : "it is for another name";
}

void RedisTls::shutdown(ngx_connection_t* socket) noexcept {
    if (socket->ssl == nullptr) { return; }
    socket->ssl->no_wait_shutdown = 1;
    socket->ssl->no_send_shutdown = !socket->write->ready;  // nobody would be there to send it later
    (void)ngx_ssl_shutdown(socket);
}

#else

const char* RedisTls::prepare(ngx_conf_t*) { return "needs an nginx with TLS for rediss://: --with-http_ssl_module"; }

ngx_int_t RedisTls::handshake(ngx_connection_t*, const std::string&) const noexcept { return NGX_ERROR; }

const char* RedisTls::verify(ngx_connection_t*, const std::string&) const noexcept { return "no TLS"; }

void RedisTls::shutdown(ngx_connection_t*) noexcept {}

#endif

std::string_view RedisTls::name_of(std::string_view host) const noexcept {
    if (!name_.empty()) { return name_; }
    return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

}  // namespace ws::nginx
