// Texts of the configuration with variables in them.
#pragma once

#include "nginx/ngx.h"

#include <string_view>
#include <vector>

namespace ws::nginx {

// What they are for this request: views of its memory, or the configuration's. Throws std::bad_alloc.
[[nodiscard]] std::vector<std::string_view> evaluate(ngx_http_request_t* r,
                                                     const std::vector<ngx_http_complex_value_t>& templates);

// For a variable of the module that there is no memory for. To nginx it is empty; a key that lacks the token would be another key.
void note_missing_variable() noexcept;

}  // namespace ws::nginx
