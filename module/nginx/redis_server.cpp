#include "nginx/ngx.h"

#include "nginx/redis_server.h"

#include "nginx/object.h"
#include "redis/url.h"

#include <array>
#include <new>
#include <string_view>
#include <utility>

namespace ws::nginx {

namespace {

ngx_str_t pool_copy(ngx_pool_t* pool, std::string_view text) {
    auto* data = static_cast<u_char*>(ngx_pnalloc(pool, text.size() + 1));
    if (data == nullptr) { throw std::bad_alloc{}; }
    *ngx_cpymem(data, text.data(), text.size()) = '\0';
    return {text.size(), data};
}

const char* pool_text(ngx_pool_t* pool, const std::string& text) {
    return reinterpret_cast<const char*>(pool_copy(pool, text).data);
}

const char* resolve(ngx_conf_t* cf, const std::string& address, ngx_url_t& target) {
    target.url = pool_copy(cf->pool, address);  // the addresses keep pointing at it
    if (ngx_parse_url(cf->pool, &target) == NGX_OK) { return nullptr; }
    const char* reason = target.err != nullptr ? target.err : "out of memory";
    return pool_text(cf->pool, "\"" + address + "\": " + reason);
}

const char* resolve_one(ngx_conf_t* cf, RedisServer& server) {
    ngx_url_t target{};
    if (const char* fault = resolve(cf, server.name, target)) { return fault; }
    server.addrs = target.addrs;
    server.naddrs = target.naddrs;
    return nullptr;
}

const char* resolve_all(ngx_conf_t* cf, const redis::Url& url, RedisServer& server) {
    for (const redis::Endpoint& endpoint : url.endpoints) {
        ngx_url_t target{};
        if (const char* fault = resolve(cf, endpoint.text(), target)) { return fault; }
        const std::string_view tls_name = server.tls != nullptr ? server.tls->name_of(endpoint.host) : "";
        for (ngx_uint_t i = 0; i < target.naddrs; ++i) {
            const ngx_addr_t& addr = target.addrs[i];
            server.sources.push_back({std::string(view(addr.name)), std::string(tls_name), &addr});
        }
    }
    return nullptr;
}

bool milliseconds(std::string_view text, ngx_msec_t& out) {
    ngx_str_t value{text.size(), reinterpret_cast<u_char*>(const_cast<char*>(text.data()))};
    const ngx_int_t parsed = ngx_parse_time(&value, 0);
    if (parsed <= 0) { return false; }
    out = static_cast<ngx_msec_t>(parsed);
    return true;
}

// A parameter that is a number.
struct Count {
    std::string_view name;
    ngx_uint_t RedisServer::*field;
    ngx_int_t most;
    const char* wrong;
};

constexpr std::array<Count, 3> counts{{
    {"connections=", &RedisServer::connections, max_redis_connections, "connections must be a number from 1 to 64"},
    {"lookups=", &RedisServer::lookups, 10000, "lookups must be a number from 1 to 10000"},
    {"queue=", &RedisServer::queue, 1000000, "queue must be a number from 1 to 1000000"},
}};

const char* option(ngx_conf_t* cf, std::string_view text, RedisServer& server, RedisTls& tls) {
    constexpr std::string_view timeout = "timeout=";
    constexpr std::string_view connect_timeout = "connect_timeout=";

    if (text.starts_with(timeout)) {
        return milliseconds(text.substr(timeout.size()), server.timeout)
                   ? nullptr
                   : "timeout must be a time above 0, such as timeout=1s";
    }
    if (text.starts_with(connect_timeout)) {
        return milliseconds(text.substr(connect_timeout.size()), server.connect_timeout)
                   ? nullptr
                   : "connect_timeout must be a time above 0, such as connect_timeout=500ms";
    }
    for (const auto& [name, value] :
         {std::pair{std::string_view{"sentinel_user="}, &server.sentinel_login.user},
          std::pair{std::string_view{"sentinel_password="}, &server.sentinel_login.password}}) {
        if (!text.starts_with(name)) { continue; }
        if (server.kind != redis::Url::Kind::sentinel) {
            return "has a sentinel_ parameter, which needs redis+sentinel://";
        }
        *value = text.substr(name.size());
        return nullptr;
    }
    for (const Count& count : counts) {
        if (!text.starts_with(count.name)) { continue; }
        const std::string_view digits = text.substr(count.name.size());
        const ngx_int_t number = ngx_atoi(reinterpret_cast<u_char*>(const_cast<char*>(digits.data())), digits.size());
        if (number < 1 || number > count.most) { return count.wrong; }
        server.*count.field = static_cast<ngx_uint_t>(number);
        return nullptr;
    }
    const char* wrong = nullptr;
    if (tls.option(text, wrong)) { return wrong; }
    const std::string_view name = text.substr(0, text.find('='));  // the value may be anything, a password too
    return pool_text(cf->pool,
                     "unknown parameter \"" + std::string{name} +
                         "\": timeout=, connect_timeout=, connections=, lookups=, queue= and ssl_...= may follow the "
                         "address");
}

}  // namespace

const char* parse_redis_server(ngx_conf_t* cf, std::span<const ngx_str_t> params, RedisServer& server) {
    if (params.empty()) { return "the address is missing: redis://host:port or unix:/path"; }
    std::string error;
    const auto url = redis::parse_url(view(params.front()), error);
    if (!url) { return pool_text(cf->pool, error); }
    server.name = url->address();
    server.kind = url->kind;
    server.master = url->master;
    server.login = {url->user, url->password, url->db};
    auto* tls = make_object<RedisTls>(cf->pool);
    for (const ngx_str_t& param : params.subspan(1)) {
        if (const char* fault = option(cf, view(param), server, *tls)) { return fault; }
    }
    if (!server.sentinel_login.user.empty() && server.sentinel_login.password.empty()) {
        return "has sentinel_user= without sentinel_password=";
    }
    if (!url->tls && tls->configured()) { return "has ssl_ parameters, which need rediss://"; }
    if (url->tls) {
        server.tls = tls;
        server.tls_name = tls->name_of(url->endpoints.front().host);
        if (const char* fault = tls->prepare(cf)) { return fault; }
    }
    return url->kind == redis::Url::Kind::server ? resolve_one(cf, server) : resolve_all(cf, *url, server);
}

}  // namespace ws::nginx
