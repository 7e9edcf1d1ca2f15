// Arbitrary bytes as a stream of frames. However the stream is cut, decoder and follower must see the same; the two must
// agree with each other; and what was decoded, written again, must decode to the same.
//
// Input: one byte of settings, one byte that the cuts are made from, then the stream.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"
#include "websocket/decoder.h"
#include "websocket/follower.h"

using namespace ws::websocket;

namespace {

constexpr Limits limits{.max_message = 300, .max_fragments = 6};

struct Seen {
    Event::Kind kind;
    Opcode type;
    std::string payload;
    std::uint16_t code;
    std::string reason;

    bool operator==(const Seen&) const = default;
};

// The sizes of pieces, from a few bits of the input: a small linear generator.
class Cuts {
public:
    explicit Cuts(std::uint8_t seed) : state_(seed) {}
    std::size_t next() {
        state_ = state_ * 1103515245 + 12345;
        return 1 + (state_ >> 16) % 13;
    }

private:
    std::uint32_t state_;
};

std::vector<std::string_view> cut(std::string_view bytes, Cuts cuts) {
    std::vector<std::string_view> pieces;
    while (!bytes.empty()) {
        pieces.push_back(bytes.substr(0, cuts.next()));
        bytes.remove_prefix(pieces.back().size());
    }
    return pieces;
}

std::vector<Seen> decode(Sender sender, const std::vector<std::string_view>& pieces) {
    Decoder decoder(sender, limits);
    std::vector<Seen> seen;
    for (const std::string_view piece : pieces) {
        const auto memory = std::make_unique<char[]>(piece.size());  // exact, so that an overrun shows
        std::copy(piece.begin(), piece.end(), memory.get());
        std::span<char> input(memory.get(), piece.size());
        for (Event event = decoder.next(input); event.kind != Event::Kind::need_more; event = decoder.next(input)) {
            seen.push_back({event.kind, event.type, std::string(event.payload), event.code, std::string(event.reason)});
        }
        require(input.empty());
    }
    return seen;
}

bool fatal(const Seen& seen) { return seen.kind == Event::Kind::close || seen.kind == Event::Kind::violation; }

void check_events(const std::vector<Seen>& events) {
    for (std::size_t i = 0; i < events.size(); ++i) {
        const Seen& event = events[i];
        require(!fatal(event) || i + 1 == events.size());
        require(event.payload.size() <= (event.kind == Event::Kind::message ? limits.max_message : 125));
        if (event.kind == Event::Kind::violation) { require(close_code::allowed(event.code) && !event.reason.empty()); }
        if (event.kind == Event::Kind::message && event.type == Opcode::text) {
            Utf8Validator utf8;
            require(utf8.feed(event.payload) && utf8.complete());
        }
    }
}

void check_follower(Sender sender, const std::string_view stream, const std::vector<std::string_view>& pieces,
                    const std::vector<Seen>& events) {
    Follower whole(sender, false);
    const bool follows = whole.follow(stream);
    Follower stepped(sender, false);
    for (std::string_view piece : pieces) {
        const std::size_t taken = stepped.follow_to_boundary(piece);
        require(taken <= piece.size() && (taken == piece.size() || stepped.at_boundary() || stepped.violated()));
        piece.remove_prefix(taken);
        const std::size_t messages = stepped.whole_messages(piece);
        const std::uint64_t before = stepped.messages();
        const bool still = stepped.follow(piece);
        require(still == !stepped.violated());
        require(messages == 0 || (stepped.between_messages() && !stepped.close_seen()));
        require(messages == 0 || stepped.messages() == before + messages);
    }
    require(stepped.violated() == !follows);
    require(stepped.at_boundary() == whole.at_boundary() && stepped.messages() == whole.messages());
    require(stepped.close_seen() == whole.close_seen() && stepped.close_code() == whole.close_code());
    require(stepped.reason() == whole.reason());

    if (!events.empty() && events.back().kind == Event::Kind::violation) {
        return;  // the decoder refuses more: payloads and limits
    }
    require(follows);
    const auto messages =
        std::count_if(events.begin(), events.end(), [](const Seen& seen) { return seen.kind == Event::Kind::message; });
    require(whole.messages() == static_cast<std::uint64_t>(messages));
    if (!events.empty() && events.back().kind == Event::Kind::close) {
        require(whole.close_seen() && whole.close_code() == events.back().code);
    }
}

void check_written_again(Sender sender, std::vector<Seen> events) {
    if (!events.empty() && events.back().kind == Event::Kind::violation) { events.pop_back(); }
    const auto mask = sender == Sender::client ? std::optional<MaskKey>({1, 2, 3, 250}) : std::nullopt;
    std::string out;
    for (const Seen& event : events) {
        if (event.kind == Event::Kind::close) {
            append_close(out, event.code, event.reason, mask);
        } else {
            const Opcode opcode = event.kind == Event::Kind::message ? event.type
                                  : event.kind == Event::Kind::ping  ? Opcode::ping
                                                                     : Opcode::pong;
            append_frame(out, opcode, event.payload, true, mask);
        }
    }
    require(decode(sender, {out}) == events);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) { return 0; }
    const Sender sender = (data[0] & 1) != 0 ? Sender::client : Sender::server;
    const std::string stream(data + 2, data + size);
    const std::vector<std::string_view> pieces = cut(stream, Cuts(data[1]));

    const std::vector<Seen> events = decode(sender, {stream});
    require(decode(sender, pieces) == events);
    check_events(events);
    check_follower(sender, stream, pieces, events);
    check_written_again(sender, events);
    return 0;
}
