// Takes the answers to the gateway's own pings out of a client's stream that is passed on otherwise (`ws_delivery headers`):
// the backend has sent no such ping, and the answers to its own pass.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "websocket/follower.h"

namespace ws::relay {

class PongFilter {
public:
    static constexpr std::size_t payload_size = 8;
    using Payload = std::array<char, payload_size>;

    // A ping with this payload has been sent; its answer is looked for from now on.
    void expect(const Payload& payload) noexcept { payload_ = payload; }
    [[nodiscard]] bool expecting() const noexcept { return payload_.has_value(); }

    // What is to be passed on of `data`, which continues the stream that `follower` (not altered) has followed so far: a
    // piece of `data`, up to where the answer begins or may begin. What may be its beginning is kept.
    // `rest` is what comes behind the answer, to be passed on after that.
    struct Pieces {
        std::string_view before;
        std::string_view rest;
        bool found = false;
    };
    [[nodiscard]] Pieces split(std::string_view data, websocket::Follower follower);

    // Bytes that were kept and turn out to be something else come before the next ones; empty if there are none.
    [[nodiscard]] std::string take_kept() { return std::exchange(kept_, {}); }
    [[nodiscard]] bool keeping() const noexcept { return !kept_.empty(); }

private:
    enum class Match { none, begins, whole };
    [[nodiscard]] Match match(std::string_view data) const noexcept;

    std::optional<Payload> payload_;
    std::string kept_;
};

}  // namespace ws::relay
