// Texts of the configuration with variables in them.
#pragma once

#include "nginx/ngx.h"

#include <string>
#include <vector>

namespace ws::nginx {

// What they are for this request. Throws std::bad_alloc.
[[nodiscard]] std::vector<std::string> evaluate(ngx_http_request_t* r,
                                                const std::vector<ngx_http_complex_value_t>& templates);

}  // namespace ws::nginx
