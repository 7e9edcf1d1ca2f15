// An event of our own, a timer or a posted one. nginx takes its `data` for a connection, so what it belongs to stands behind it.
#pragma once

#include "nginx/ngx.h"

namespace ws::nginx {

template <class Owner>
struct OwnedEvent : ngx_event_t {
    explicit OwnedEvent(Owner& of) noexcept : ngx_event_t(), owner(of) {}

    [[nodiscard]] static Owner& owner_of(ngx_event_t* event) noexcept { return static_cast<OwnedEvent*>(event)->owner; }

    Owner& owner;
};

}  // namespace ws::nginx
