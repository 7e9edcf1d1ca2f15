// Compressed messages. Arbitrary bytes are inflated, alone and in frames; what is inflated must not hang on how the input
// is cut, on the room, or on releases between messages; and what is deflated must come back.
//
// Input: one byte of settings, one byte that the cuts are made from, then parts: a byte of what to do, a byte of length, data.
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
#include "websocket/message.h"

using namespace ws::websocket;

namespace {

constexpr Limits limits{.max_message = 5000, .max_fragments = 6};

// Sizes, from a few bits of the input: a small linear generator.
class Sizes {
public:
    explicit Sizes(std::uint8_t seed) : state_(seed) {}
    std::size_t next() {
        state_ = state_ * 1103515245 + 12345;
        return 1 + (state_ >> 16) % 13;
    }

private:
    std::uint32_t state_;
};

struct Settings {
    Sender sender;
    std::uint8_t window_bits;
    bool takeover;

    [[nodiscard]] Inflater::Options inflater() const {
        return {.window_bits = window_bits, .context_takeover = takeover};
    }
    [[nodiscard]] Deflater::Options deflater(int level) const {
        return {.window_bits = window_bits, .context_takeover = takeover, .level = level, .mem_level = 10 - level};
    }
};

struct Part {
    std::uint8_t kind;
    std::string data;
};

std::vector<Part> parse(const std::uint8_t* data, std::size_t size) {
    std::vector<Part> parts;
    while (size >= 2) {
        const std::size_t length = std::min<std::size_t>(data[1], size - 2);
        parts.push_back({data[0], std::string(data + 2, data + 2 + length)});
        data += 2 + length;
        size -= 2 + length;
    }
    return parts;
}

// Each part is one message's compressed bytes.
std::string inflate_alone(const Settings& settings, const std::vector<Part>& parts, std::optional<Sizes> sizes) {
    Inflater inflater(settings.inflater());
    std::string all;
    for (const Part& part : parts) {
        std::string_view rest = part.data;
        std::string output;
        while (!rest.empty()) {
            const std::string_view piece = rest.substr(0, sizes ? sizes->next() : rest.size());
            rest.remove_prefix(piece.size());
            std::string_view input = piece;
            auto status = Inflater::Status::full;
            while (status == Inflater::Status::full && output.size() <= limits.max_message) {
                const std::size_t capacity = sizes ? sizes->next() : 4096;
                const auto memory = std::make_unique<char[]>(capacity);  // exact, so that an overrun shows
                std::span<char> room(memory.get(), capacity);
                status = inflater.inflate(input, room);
                output.append(memory.get(), capacity - room.size());
            }
            if (output.size() > limits.max_message) { return all + "too big"; }
            if (status == Inflater::Status::corrupt) { return all + output + "corrupt"; }
            require(input.empty());
        }
        if (!inflater.end_message()) { return all + output + "cut off"; }
        all += output + "|";
        if (sizes && sizes->next() % 2 == 0) { inflater.release(); }
    }
    return all;
}

// The parts as frames, right in everything but what they carry; or, some, compressed here.
std::string frames(const Settings& settings, const std::vector<Part>& parts) {
    const auto mask = settings.sender == Sender::client ? std::optional<MaskKey>({1, 2, 3, 250}) : std::nullopt;
    Deflater deflater(settings.deflater(5));
    std::string out;
    bool open = false;
    for (const Part& part : parts) {
        const auto opcode = (part.kind & 1) != 0 ? Opcode::text : Opcode::binary;
        if ((part.kind & 6) == 6) {
            append_frame(out, Opcode::ping, part.data.substr(0, 125), true, mask);
        } else if (!open && (part.kind & 6) == 4) {
            append_message(out, opcode, part.data, &deflater, 20, mask);
        } else {
            const bool fin = (part.kind & 8) == 0;
            append_frame_header(out, open ? Opcode::continuation : opcode, part.data.size(), fin, mask,
                                open || (part.kind & 2) != 0 ? std::uint8_t{0} : rsv1);
            const std::size_t start = out.size();
            out += part.data;
            if (mask) { apply_mask(out.data() + start, part.data.size(), *mask, 0); }
            open = !fin;
        }
    }
    return out;
}

std::string decode(const Settings& settings, std::string_view stream, std::optional<Sizes> sizes) {
    Inflater inflater(settings.inflater());
    Decoder decoder(settings.sender, limits, &inflater);
    std::string seen;
    while (!stream.empty()) {
        const std::string_view piece = stream.substr(0, sizes ? sizes->next() : stream.size());
        stream.remove_prefix(piece.size());
        const auto memory = std::make_unique<char[]>(piece.size());
        std::copy(piece.begin(), piece.end(), memory.get());
        std::span<char> input(memory.get(), piece.size());
        for (Event event = decoder.next(input); event.kind != Event::Kind::need_more; event = decoder.next(input)) {
            require(event.payload.size() <= limits.max_message);
            if (event.kind == Event::Kind::message && event.type == Opcode::text) {
                Utf8Validator utf8;
                require(utf8.feed(event.payload) && utf8.complete());
            }
            seen += std::to_string(static_cast<int>(event.kind)) + std::string(event.payload) +
                    std::to_string(event.code) + std::string(event.reason) + "|";
        }
        require(input.empty());
        if (sizes && sizes->next() % 3 == 0) { inflater.release(); }
    }
    return seen;
}

void check_round_trip(const Settings& settings, const std::vector<Part>& parts) {
    Deflater deflater(settings.deflater(1 + (parts.empty() ? 0 : parts[0].kind % 9)));
    std::vector<Part> compressed;
    std::string expected;
    for (const Part& part : parts) {
        std::string out;
        deflater.deflate(part.data, out);
        if ((part.kind & 16) != 0) { deflater.release(); }
        compressed.push_back({0, out});
        expected += part.data + "|";
    }
    require(inflate_alone(settings, compressed, std::nullopt) == expected);
    require(inflate_alone(settings, compressed, Sizes(1)) == expected);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) { return 0; }
    const Settings settings{
        .sender = (data[0] & 1) != 0 ? Sender::client : Sender::server,
        .window_bits = static_cast<std::uint8_t>(8 + (data[0] >> 1 & 7)),
        .takeover = (data[0] & 16) == 0,
    };
    const Sizes sizes(data[1]);
    const std::vector<Part> parts = parse(data + 2, size - 2);

    check_round_trip(settings, parts);
    // A window smaller than the largest is enforced by zlib only as the input is cut: the output at hand is a window, too.
    Settings largest = settings;
    largest.window_bits = 15;
    const std::string stream = frames(settings, parts);
    require(decode(largest, stream, std::nullopt) == decode(largest, stream, sizes));
    require(inflate_alone(largest, parts, std::nullopt) == inflate_alone(largest, parts, sizes));
    return 0;
}
