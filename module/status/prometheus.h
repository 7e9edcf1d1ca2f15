// Totals as Prometheus reads them: the text format, version 0.0.4. docs/status.md says what each metric means.
#pragma once

#include <string>

#include "status/figures.h"

namespace ws::status {

[[nodiscard]] std::string to_prometheus(const Totals& totals);

}  // namespace ws::status
