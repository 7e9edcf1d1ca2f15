// The delivery that a location asks for.
#pragma once

#include "nginx/ngx.h"

#include <memory>

#include "nginx/connection.h"
#include "relay/delivery.h"
#include "relay/http_delivery.h"

namespace ws::nginx {

// For a connection whose 101 has come. Throws std::bad_alloc.
[[nodiscard]] std::unique_ptr<relay::Delivery> make_delivery(const Connection& connection);

// For a connection whose `open` event the backend has accepted. `requests` outlives it. Throws std::bad_alloc.
[[nodiscard]] std::unique_ptr<relay::HttpDelivery> make_http_delivery(const Connection& connection,
                                                                      relay::Requests& requests);

}  // namespace ws::nginx
