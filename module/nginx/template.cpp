#include "nginx/template.h"

namespace ws::nginx {

namespace {

bool incomplete = false;

}  // namespace

void note_missing_variable() noexcept { incomplete = true; }

std::vector<std::string_view> evaluate(ngx_http_request_t* r, const std::vector<ngx_http_complex_value_t>& templates) {
    std::vector<std::string_view> texts;
    texts.reserve(templates.size());
    incomplete = false;
    for (const ngx_http_complex_value_t& one : templates) {
        ngx_str_t value;
        // Read-only for nginx as well: its prototype lacks the const.
        if (ngx_http_complex_value(r, const_cast<ngx_http_complex_value_t*>(&one), &value) != NGX_OK) {
            throw std::bad_alloc();
        }
        if (incomplete) { throw std::bad_alloc(); }
        texts.push_back(view(value));
    }
    return texts;
}

}  // namespace ws::nginx
