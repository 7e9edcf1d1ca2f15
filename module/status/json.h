// Totals as JSON, for programs and for the page. docs/status.md says what each member means.
#pragma once

#include <string>

#include "status/figures.h"

namespace ws::status {

// `time_ms`: since 1970.
[[nodiscard]] std::string to_json(const Totals& totals, std::uint64_t time_ms);

}  // namespace ws::status
