// From a session and the request's variables to the context that the location asks for.
#pragma once

#include "nginx/ngx.h"

#include <memory>
#include <string>

#include "auth/hook.h"
#include "nginx/connection.h"

namespace ws::nginx {

struct ContextResult {
    std::shared_ptr<const context::Context> context;  // null: see error
    std::string error;                                // for the log; quotes no value
};

[[nodiscard]] ContextResult build_context(const Connection& connection, const auth::Session& session);

}  // namespace ws::nginx
