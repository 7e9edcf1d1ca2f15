// From a session and the request's variables to the context that the location asks for.
#pragma once

#include "nginx/ngx.h"

#include <memory>
#include <string>
#include <string_view>

#include "nginx/connection.h"

namespace ws::nginx {

struct ContextResult {
    std::shared_ptr<const context::Context> context;  // null: see error
    std::string error;                                // for the log; quotes no value
};

// The fields' variables are evaluated with the first context of a connection, and kept for later ones.
[[nodiscard]] ContextResult build_context(Connection& connection, std::string_view session);

}  // namespace ws::nginx
