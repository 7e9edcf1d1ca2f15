// CloudEvents over HTTP, in binary mode: each attribute is a header.
#pragma once

#include <string>
#include <string_view>

namespace ws::context {

// An attribute's text as a header value (HTTP protocol binding for CloudEvents 1.0.2, 3.1.3.2): blanks, double quotes, percent signs
// and all that is not printable ASCII are percent-encoded. Fit for a header, whatever bytes come in.
[[nodiscard]] std::string cloud_event_attribute(std::string_view text);

}  // namespace ws::context
