// An upgrade in http delivery: the backend is asked with an `open` event, and the gateway answers the client itself.
#pragma once

#include "nginx/ngx.h"

#include "relay/requests.h"

namespace ws::nginx {

struct Connection;

// Puts itself in the place of the location's content handler, which answers the events. For a request that may pass.
void claim_content(Connection& connection) noexcept;

// For the backend: there may be room for the `open` event now.
void try_to_open(Connection& connection) noexcept;

// For the backend: what has been answered to it. The connection may be gone afterwards.
void opened(Connection& connection, relay::HttpReply reply) noexcept;

}  // namespace ws::nginx
