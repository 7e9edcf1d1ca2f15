// Time, for what is pure otherwise.
#pragma once

#include "auth/session_watch.h"

namespace ws::auth {

class Clock {
public:
    [[nodiscard]] virtual Milliseconds now() const noexcept = 0;
    // run() is to be called at this time, or earlier. A later time than one asked for before may be forgotten.
    virtual void wake_at(Milliseconds time) noexcept = 0;

protected:
    ~Clock() = default;
};

}  // namespace ws::auth
