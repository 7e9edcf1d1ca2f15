#include "nginx/redis_node.h"

#include <array>
#include <cstring>

namespace ws::nginx {

namespace {

redis::Endpoint endpoint_of(const ngx_addr_t& addr) {
    std::array<u_char, NGX_SOCKADDR_STRLEN> text{};
    const std::size_t size = ngx_sock_ntop(addr.sockaddr, addr.socklen, text.data(), text.size(), 0);
    std::string host(reinterpret_cast<const char*>(text.data()), size);
    if (addr.sockaddr->sa_family == AF_INET6) { host = '[' + host + ']'; }
    return {std::move(host), ngx_inet_get_port(addr.sockaddr)};
}

bool set_address(ngx_sockaddr_t& sockaddr, socklen_t& socklen, const redis::Endpoint& endpoint) {
    std::string host = endpoint.host;
    if (inet_pton(AF_INET, host.c_str(), &sockaddr.sockaddr_in.sin_addr) == 1) {
        sockaddr.sockaddr_in.sin_family = AF_INET;
        sockaddr.sockaddr_in.sin_port = htons(endpoint.port);
        socklen = sizeof(sockaddr.sockaddr_in);
        return true;
    }
#if (NGX_HAVE_INET6)
    if (host.size() > 2 && host.starts_with('[')) { host = host.substr(1, host.size() - 2); }
    if (inet_pton(AF_INET6, host.c_str(), &sockaddr.sockaddr_in6.sin6_addr) == 1) {
        sockaddr.sockaddr_in6.sin6_family = AF_INET6;
        sockaddr.sockaddr_in6.sin6_port = htons(endpoint.port);
        socklen = sizeof(sockaddr.sockaddr_in6);
        return true;
    }
#endif
    return false;
}

}  // namespace

RedisNode::RedisNode(RedisServer settings, const ngx_addr_t& addr, status::RedisCounters& counters, ngx_log_t* log,
                     std::function<void()> on_failure)
    : endpoint_(endpoint_of(addr)),
      server_(std::move(settings)),
      client_(server_, counters, log, std::move(on_failure)) {
    std::memcpy(&sockaddr_, addr.sockaddr, addr.socklen);
    addr_.sockaddr = &sockaddr_.sockaddr;
    addr_.socklen = addr.socklen;
    addr_.name = {server_.name.size(), reinterpret_cast<u_char*>(server_.name.data())};
    server_.addrs = &addr_;
    server_.naddrs = 1;
}

void RedisNode::report_to(std::shared_ptr<redis::Invalidations> listener) {
    listener_ = std::move(listener);
    client_.track(*listener_);
}

std::unique_ptr<RedisNode> RedisNode::announced(RedisServer settings, const redis::Endpoint& endpoint,
                                                status::RedisCounters& counters, ngx_log_t* log,
                                                std::function<void()> on_failure) {
    ngx_sockaddr_t sockaddr{};
    ngx_addr_t addr{};
    addr.sockaddr = &sockaddr.sockaddr;
    if (!set_address(sockaddr, addr.socklen, endpoint)) { return nullptr; }
    if (settings.tls != nullptr) { settings.tls_name = settings.tls->name_of(endpoint.host); }
    return std::make_unique<RedisNode>(std::move(settings), addr, counters, log, std::move(on_failure));
}

}  // namespace ws::nginx
