// Whether a client that says nothing is still there: it is asked after some silence, and has some time to be heard.
#pragma once

#include <cstdint>
#include <optional>

#include "relay/rate.h"

namespace ws::relay {

class Heartbeat final {
public:
    enum class Due { nothing, ping, lost };

    // Asks after `ping` of silence (0: never), and waits for `pong`.
    Heartbeat(Milliseconds ping, Milliseconds pong) noexcept : ping_(ping), pong_(pong) {}

    // A sign of life.
    void hear(Milliseconds now) noexcept {
        heard_ = now;
        asked_.reset();
    }

    [[nodiscard]] bool beats() const noexcept { return ping_.count() > 0; }
    [[nodiscard]] Due due(Milliseconds now) noexcept {
        if (asked_) { return now - *asked_ < pong_ ? Due::nothing : Due::lost; }
        return now - heard_ < ping_ ? Due::nothing : Due::ping;
    }

    // What was due has been done.
    void pinged(Milliseconds now) noexcept {
        put_off(now);
        asked_ = now;
        ++pings_;
    }
    void put_off(Milliseconds now) noexcept { heard_ = now; }
    void lose() noexcept { ++missed_; }

    // It has been asked, and not been heard since.
    [[nodiscard]] bool waits() const noexcept { return asked_.has_value(); }
    // When something will be due.
    [[nodiscard]] Milliseconds deadline() const noexcept { return asked_ ? *asked_ + pong_ : heard_ + ping_; }

    [[nodiscard]] std::uint64_t pings() const noexcept { return pings_; }
    [[nodiscard]] std::uint64_t missed() const noexcept { return missed_; }

private:
    Milliseconds ping_;
    Milliseconds pong_;
    Milliseconds heard_{};
    std::optional<Milliseconds> asked_;
    std::uint64_t pings_ = 0;
    std::uint64_t missed_ = 0;  // clients that were lost: 0 or 1
};

}  // namespace ws::relay
