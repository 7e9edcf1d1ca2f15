#include "nginx/redis_store.h"

#include "nginx/redis_client.h"
#include "nginx/redis_cluster.h"
#include "nginx/redis_sentinel.h"

namespace ws::nginx {

std::unique_ptr<RedisStore> make_redis_store(const RedisServer& server, status::RedisCounters& counters,
                                             ngx_log_t* log) {
    switch (server.kind) {
        case redis::Url::Kind::sentinel: return std::make_unique<RedisSentinel>(server, counters, log);
        case redis::Url::Kind::cluster: return std::make_unique<RedisCluster>(server, counters, log);
        case redis::Url::Kind::server: break;
    }
    return std::make_unique<RedisClient>(server, counters, log);
}

}  // namespace ws::nginx
