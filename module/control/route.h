// HTTP requests to a `ws_control` location, as requests about connections.
//
//     GET    /connections?limit=&after=&session=&context.PATH=        a page
//     DELETE /connections?code=&reason=&session=&context.PATH=        close all of these
//     GET    /connections/ID                                          one
//     DELETE /connections/ID?code=&reason=                            close it
//     POST   /connections/ID/messages                                 send it a message
//     PATCH  /connections/ID/context                                  patch its context
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "control/request.h"

namespace ws::control {

struct Call {
    std::string_view method;
    std::string_view path;  // behind the location's prefix, decoded
    std::string_view query;
    std::string_view content_type;  // empty: none
};

struct Refusal {
    int status;
    std::string detail;
    std::string_view allow{};  // methods, for a 405
};

[[nodiscard]] std::variant<Request, Refusal> route(const Call& call);

// Whether the request's body belongs to it.
[[nodiscard]] bool wants_body(const Request& request) noexcept;
// Where that goes.
[[nodiscard]] std::string& body(Act& act) noexcept;

}  // namespace ws::control
