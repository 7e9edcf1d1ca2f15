// The backend's answer to an upgrade: only a real 101 becomes a tunnel, and the tunnel is ours.
#pragma once

#include "nginx/ngx.h"

namespace ws::nginx {

// Puts the header and body filters into nginx's chains.
void install_handshake_filter() noexcept;

}  // namespace ws::nginx
