// The page for people: it reads the JSON again and again and draws what changes.
#pragma once

#include <string_view>

namespace ws::status {

extern const std::string_view
    page;  // HTML, which asks for `?format=icon`, `?format=css`, `?format=js` and `?format=json`
extern const std::string_view page_icon;    // SVG
extern const std::string_view page_style;   // CSS
extern const std::string_view page_script;  // JavaScript

}  // namespace ws::status
