// What fuzz targets have in common.
#pragma once

#include <cstdlib>

// Holds, or the input is a finding.
inline void require(bool holds) {
    if (!holds) { std::abort(); }
}
