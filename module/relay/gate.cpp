#include "relay/gate.h"

namespace ws::relay {

// Reserved bits are the delivery's to judge.
Gate::Gate(const GateLimits& limits) noexcept
    : follower_(websocket::Sender::client, true),
      messages_(limits.messages),
      controls_(limits.controls),
      delay_messages_(limits.delay_messages) {}

std::size_t Gate::admit(std::string_view data, Milliseconds now) noexcept {
    verdict_ = Verdict::open;
    if (!messages_.limited() && !controls_.limited()) { return data.size(); }
    if (const std::size_t n = follower_.whole_messages(data); n > 0 && admit_messages(n, now)) { return data.size(); }
    std::string_view rest = data;
    while (!rest.empty()) {
        // A stream that is broken, or over, is the delivery's to deal with.
        if (follower_.violated() || (follower_.close_seen() && follower_.at_boundary())) { return data.size(); }
        if (follower_.at_boundary()) {
            verdict_ = judge(rest.front(), now);
            if (verdict_ != Verdict::open) { return data.size() - rest.size(); }
        }
        rest.remove_prefix(follower_.follow_frame(rest));
    }
    return data.size();
}

// RFC 6455 5.2: the opcode is in the low four bits; 0 continues a message, from 8 on they are control frames.
Gate::Verdict Gate::judge(char first_byte, Milliseconds now) noexcept {
    const int opcode = first_byte & 0x0f;
    if (opcode >= 8) {
        return !controls_.limited() || controls_.take(now) ? Verdict::open : Verdict::too_many_controls;
    }
    return opcode == 0 || !messages_.limited() || messages_.take(now) ? Verdict::open : Verdict::too_many_messages;
}

}  // namespace ws::relay
