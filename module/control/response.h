// Answers as HTTP: JSON, or a problem (RFC 9457).
#pragma once

#include <string>
#include <string_view>

#include "control/answer.h"
#include "control/request.h"

namespace ws::control {

struct Response {
    int status;
    std::string_view type;  // of the body; empty: there is none
    std::string body;
};

[[nodiscard]] Response respond(const Request& request, const Answer& answer);
[[nodiscard]] Response problem(int status, std::string_view detail);

}  // namespace ws::control
