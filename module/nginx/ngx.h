// nginx's C headers, wrapped for C++. Always the first include of a file in this layer.
#pragma once

extern "C" {
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include <ngx_http.h>
}

#include <cstring>
#include <new>
#include <string_view>

extern "C" ngx_module_t ngx_http_ws_module;

namespace ws::nginx {

inline std::string_view view(const ngx_str_t& s) noexcept { return {reinterpret_cast<const char*>(s.data), s.len}; }

// A copy in the pool. Throws std::bad_alloc.
inline ngx_str_t copy(ngx_pool_t* pool, std::string_view text) {
    auto* data = static_cast<u_char*>(ngx_pnalloc(pool, text.size() + 1));
    if (data == nullptr) { throw std::bad_alloc(); }
    std::memcpy(data, text.data(), text.size());
    data[text.size()] = '\0';
    return {text.size(), data};
}

}  // namespace ws::nginx
