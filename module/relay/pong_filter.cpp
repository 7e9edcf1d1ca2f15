#include "relay/pong_filter.h"

#include <algorithm>

namespace ws::relay {

namespace {

// A masked pong in one frame (RFC 6455 5.2, 5.5.3): two bytes, the mask, the payload.
constexpr std::size_t mask_size = 4;
constexpr std::size_t pong_size = 2 + mask_size + PongFilter::payload_size;
constexpr std::array<char, 2> pong_head{static_cast<char>(0x8a), static_cast<char>(0x80 | PongFilter::payload_size)};

}  // namespace

PongFilter::Match PongFilter::match(std::string_view data) const noexcept {
    const std::size_t head = std::min(data.size(), pong_head.size());
    if (!std::equal(pong_head.begin(), pong_head.begin() + head, data.begin())) { return Match::none; }
    for (std::size_t i = 2 + mask_size; i < std::min(data.size(), pong_size); ++i) {
        const std::size_t at = i - 2 - mask_size;
        if ((data[i] ^ data[2 + at % mask_size]) != (*payload_)[at]) { return Match::none; }
    }
    return data.size() < pong_size ? Match::begins : Match::whole;
}

PongFilter::Pieces PongFilter::split(std::string_view data, websocket::Follower follower) {
    for (std::size_t at = 0; at < data.size();) {
        if (!follower.at_boundary()) {
            at += follower.follow_to_boundary(data.substr(at));
        } else {
            const Match found = match(data.substr(at));
            if (found == Match::whole) {
                payload_.reset();
                return {data.substr(0, at), data.substr(at + pong_size), true};
            }
            if (found == Match::begins) {
                kept_ = data.substr(at);
                return {data.substr(0, at), {}, false};
            }
            if (!follower.follow(data.substr(at, 1))) { break; }
            ++at;
        }
        if (follower.violated() || follower.close_seen()) { break; }
    }
    return {data, {}, false};
}

}  // namespace ws::relay
