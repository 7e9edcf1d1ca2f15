// A Redis server as the directive `ws_redis` names it. Read-only after configuration.
//
//   ws_redis URL [timeout=1s] [connect_timeout=500ms] [connections=2] [lookups=64] [queue=10000] [ssl_...]
//                [sentinel_user=] [sentinel_password=];
#pragma once

#include "nginx/ngx.h"

#include "nginx/redis_tls.h"
#include "redis/pipeline.h"
#include "redis/url.h"

#include <span>
#include <string>
#include <vector>

namespace ws::nginx {

constexpr ngx_int_t max_redis_connections = 64;

// One of several servers that the directive names. Resolved at configuration time; `addr` lives as long as cf->pool.
struct RedisSource {
    std::string name;      // "address:port"
    std::string tls_name;  // what its certificate must be for
    const ngx_addr_t* addr;
};

struct RedisServer {
    std::string name;  // "host:port" or "unix:/path", for logs
    redis::Url::Kind kind = redis::Url::Kind::server;
    redis::Login login;
    redis::Login sentinel_login;
    std::string master;                // the name that sentinels know
    std::vector<RedisSource> sources;  // sentinels, or nodes of a cluster
    std::size_t max_reply = redis::Pipeline::default_max_reply;
    const RedisTls* tls = nullptr;  // null: plain
    std::string tls_name;           // what the server's certificate must be for
    ngx_addr_t* addrs = nullptr;    // resolved at configuration time; they live as long as cf->pool
    ngx_uint_t naddrs = 0;
    ngx_msec_t connect_timeout = 500;  // for connecting and logging in, each address
    ngx_msec_t timeout = 1000;         // for one reply
    ngx_uint_t connections = 2;        // of each worker, at most max_redis_connections
    ngx_uint_t lookups = 64;           // under way at a time, of each worker
    ngx_uint_t queue = 10000;          // that wait for their turn, as long as `timeout`
};

// Parses the directive's parameters (cf->args without its name) into `server`.
// Returns null, or a sentence for `nginx -t` that says what is right (it lives as long as cf->pool and never quotes a password).
// Throws std::bad_alloc only.
[[nodiscard]] const char* parse_redis_server(ngx_conf_t* cf, std::span<const ngx_str_t> params, RedisServer& server);

}  // namespace ws::nginx
