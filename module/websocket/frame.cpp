#include "websocket/frame.h"

#include <algorithm>
#include <tuple>

#include "websocket/close_code.h"

namespace ws::websocket {

namespace {

constexpr std::size_t max_control_payload = 125;  // RFC 6455 5.5
constexpr std::uint8_t length_in_2_bytes = 126;   // 5.2
constexpr std::uint8_t length_in_8_bytes = 127;

bool known(std::uint8_t opcode) noexcept { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

std::uint64_t big_endian(const std::uint8_t* bytes, std::size_t n) noexcept {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < n; ++i) { value = value << 8 | bytes[i]; }
    return value;
}

// Of the length behind the first two bytes: 0, 2 or 8.
std::size_t length_size(std::uint8_t second) noexcept {
    const int code = second & 0x7F;
    return code == length_in_8_bytes ? 8 : code == length_in_2_bytes ? 2 : 0;
}

const char* refuse_length(const std::uint8_t* bytes, std::size_t n) noexcept {
    const std::size_t extended = length_size(bytes[1]);
    // 5.2: the most significant bit of a 64-bit length must be 0
    if (n >= 3 && extended == 8 && (bytes[2] & 0x80) != 0) { return "frame length out of range"; }
    // 5.2: the minimal number of bytes must be used to encode the length
    if (n >= 2 + extended && big_endian(bytes + 2, extended) < (extended == 8 ? 0x10000u : length_in_2_bytes)) {
        return "frame length not in its shortest form";
    }
    return nullptr;
}

char* write_big_endian(char* at, std::uint64_t value, std::size_t n) noexcept {
    while (n-- > 0) { *at++ = static_cast<char>(value >> (8 * n) & 0xFF); }
    return at;
}

using HeaderBytes = std::array<char, max_header_size>;

// How many of them a header takes.
std::size_t write_header(HeaderBytes& header, Opcode opcode, std::uint64_t length, bool fin,
                         const std::optional<MaskKey>& mask, std::uint8_t rsv) noexcept {
    const unsigned mask_bit = mask ? 0x80 : 0;
    char* at = header.data();
    *at++ = static_cast<char>((fin ? 0x80u : 0u) | static_cast<unsigned>(rsv) << 4 | static_cast<unsigned>(opcode));
    if (length < length_in_2_bytes) {
        *at++ = static_cast<char>(mask_bit | length);
    } else if (length <= 0xFFFF) {
        *at++ = static_cast<char>(mask_bit | length_in_2_bytes);
        at = write_big_endian(at, length, 2);
    } else {
        *at++ = static_cast<char>(mask_bit | length_in_8_bytes);
        at = write_big_endian(at, length, 8);
    }
    if (mask) { at = std::copy(mask->begin(), mask->end(), at); }
    return static_cast<std::size_t>(at - header.data());
}

// The longest part of `text` that fits into `n` bytes without cutting a character.
std::string_view cut(std::string_view text, std::size_t n) noexcept {
    if (text.size() <= n) { return text; }
    while (n > 0 && (static_cast<std::uint8_t>(text[n]) & 0xC0) == 0x80) { --n; }
    return text.substr(0, n);
}

}  // namespace

HeaderReader::Status HeaderReader::read(std::string_view& input, FrameHeader& header) noexcept {
    if (reason_ != nullptr) { return Status::violation; }
    if (have_ == 0 && input.size() >= bytes_.size()) {  // whole, whatever its size
        const auto* const bytes = reinterpret_cast<const std::uint8_t*>(input.data());
        if (read_short(bytes, header)) {
            input.remove_prefix(sender_ == Sender::client ? 2 + std::tuple_size_v<MaskKey> : 2);
            return Status::whole;
        }
        if (refuse(bytes, bytes_.size()) == nullptr) {
            input.remove_prefix(size(bytes));
            finish(bytes, header);
            return Status::whole;
        }
    }
    while (have_ < 2 || have_ < size(bytes_.data())) {
        if (input.empty()) { return Status::need_more; }
        bytes_[have_++] = static_cast<std::uint8_t>(input.front());
        input.remove_prefix(1);
        reason_ = refuse(bytes_.data(), have_);
        if (reason_ != nullptr) { return Status::violation; }
    }
    have_ = 0;
    finish(bytes_.data(), header);
    return Status::whole;
}

// What nearly all headers are: those of a short message in one frame, without extensions.
bool HeaderReader::read_short(const std::uint8_t* bytes, FrameHeader& header) noexcept {
    const bool masked = sender_ == Sender::client;
    const bool message = bytes[0] == (0x80 | static_cast<std::uint8_t>(Opcode::text)) ||
                         bytes[0] == (0x80 | static_cast<std::uint8_t>(Opcode::binary));
    const int length = bytes[1] - (masked ? 0x80 : 0);
    if (!message || in_fragments_ || length < 0 || length >= length_in_2_bytes) { return false; }
    header = {true, 0, static_cast<Opcode>(bytes[0] & 0x0F), masked, {}, static_cast<std::uint64_t>(length)};
    if (masked) { std::copy_n(bytes + 2, header.mask.size(), header.mask.begin()); }
    return true;
}

// Frames of up to 64 KiB: longer ones don't come whole.
std::size_t HeaderReader::whole_messages(std::string_view data) const noexcept {
    const unsigned mask_bit = sender_ == Sender::client ? 0x80 : 0;
    const std::size_t shortest = sender_ == Sender::client ? 2 + std::tuple_size_v<MaskKey> : 2;
    const unsigned first_bits = ~(reserved_bits() << 4);
    const auto* at = reinterpret_cast<const std::uint8_t*>(data.data());
    std::size_t left = data.size();
    std::size_t messages = 0;
    for (; left > 0; ++messages) {
        if (left < shortest) { return 0; }
        const unsigned first = at[0] & first_bits;
        if (first != (0x80U | static_cast<unsigned>(Opcode::text)) &&
            first != (0x80U | static_cast<unsigned>(Opcode::binary))) {
            return 0;
        }
        std::size_t size = shortest + (at[1] ^ mask_bit);
        if (size >= shortest + length_in_2_bytes) {
            if (size != shortest + length_in_2_bytes || left < 4 || big_endian(at + 2, 2) < length_in_2_bytes) {
                return 0;
            }
            size = shortest + 2 + static_cast<std::size_t>(big_endian(at + 2, 2));
        }
        if (size > left) { return 0; }
        at += size;
        left -= size;
    }
    return messages;
}

// Takes over a sound header.
void HeaderReader::finish(const std::uint8_t* bytes, FrameHeader& header) noexcept {
    const std::size_t extended = length_size(bytes[1]);
    header.fin = (bytes[0] & 0x80) != 0;
    header.rsv = bytes[0] >> 4 & 7;
    header.opcode = static_cast<Opcode>(bytes[0] & 0x0F);
    header.masked = sender_ == Sender::client;
    header.length = extended == 0 ? bytes[1] & 0x7F : big_endian(bytes + 2, extended);
    header.mask = {};
    if (header.masked) { std::copy_n(bytes + 2 + extended, header.mask.size(), header.mask.begin()); }
    if (!is_control(header.opcode)) { in_fragments_ = !header.fin; }
}

// What is wrong with the first `n` bytes of a header, or null.
const char* HeaderReader::refuse(const std::uint8_t* bytes, std::size_t n) const noexcept {
    if (const char* reason = refuse_first(bytes[0])) { return reason; }
    if (n < 2) { return nullptr; }
    if (const char* reason = refuse_second(bytes[0], bytes[1])) { return reason; }
    return length_size(bytes[1]) == 0 ? nullptr : refuse_length(bytes, n);
}

// Those that the first frame of a message may have.
unsigned HeaderReader::reserved_bits() const noexcept {
    switch (extensions_) {
        case Extensions::none: return 0;
        case Extensions::deflate: return rsv1;  // RFC 7692 6.1
        case Extensions::any: break;
    }
    return 7;
}

bool HeaderReader::reserved_bits_allowed(std::uint8_t bits, Opcode opcode) const noexcept {
    if (bits == 0) { return true; }
    if (is_control(opcode)) { return false; }
    if (opcode == Opcode::continuation && extensions_ == Extensions::deflate) { return false; }  // RFC 7692 6.1
    return (bits & ~reserved_bits()) == 0;
}

const char* HeaderReader::refuse_first(std::uint8_t byte) const noexcept {
    if (!known(byte & 0x0F)) { return "reserved opcode"; }
    const auto opcode = static_cast<Opcode>(byte & 0x0F);
    const bool fin = (byte & 0x80) != 0;
    if (!reserved_bits_allowed(byte >> 4 & 7, opcode)) {
        return "reserved bit set";  // 5.2: must be 0 unless an extension is negotiated
    }
    if (is_control(opcode)) {
        return fin ? nullptr : "fragmented control frame";  // 5.5
    }
    if (opcode == Opcode::continuation) {
        return in_fragments_ ? nullptr : "continuation of nothing";  // 5.4
    }
    return in_fragments_ ? "message inside a fragmented message" : nullptr;  // 5.4
}

const char* HeaderReader::refuse_second(std::uint8_t first, std::uint8_t byte) const noexcept {
    const bool masked = (byte & 0x80) != 0;
    if (masked != (sender_ == Sender::client)) {
        return masked ? "masked frame from a server" : "unmasked frame from a client";  // 5.1
    }
    if (is_control(static_cast<Opcode>(first & 0x0F)) && (byte & 0x7F) > max_control_payload) {
        return "control frame too long";  // 5.5
    }
    return nullptr;
}

std::size_t HeaderReader::size(const std::uint8_t* bytes) const noexcept {
    return 2 + length_size(bytes[1]) + (sender_ == Sender::client ? std::tuple_size_v<MaskKey> : 0);
}

std::size_t frame_header_size(std::uint64_t length, bool masked) noexcept {
    const std::size_t extended = length < length_in_2_bytes ? 0 : length <= 0xFFFF ? 2 : 8;
    return 2 + extended + (masked ? std::tuple_size_v<MaskKey> : 0);
}

void append_frame_header(std::string& out, Opcode opcode, std::uint64_t length, bool fin, std::optional<MaskKey> mask,
                         std::uint8_t rsv) {
    HeaderBytes header;
    out.append(header.data(), write_header(header, opcode, length, fin, mask, rsv));
}

std::size_t begin_frame(std::string& out, std::uint64_t expected, bool masked) {
    const std::size_t start = out.size();
    out.reserve(start + max_header_size + static_cast<std::size_t>(expected));
    out.append(frame_header_size(expected, masked), '\0');
    return start;
}

void end_frame(std::string& out, std::size_t start, std::uint64_t expected, Opcode opcode,
               std::optional<MaskKey> mask) {
    const std::size_t reserved = frame_header_size(expected, mask.has_value());
    const std::size_t length = out.size() - start - reserved;
    HeaderBytes header;
    const std::size_t size = write_header(header, opcode, length, true, mask, 0);
    if (size == reserved) {
        std::copy_n(header.begin(), size, out.begin() + static_cast<std::ptrdiff_t>(start));
    } else {
        out.replace(start, reserved, header.data(), size);
    }
    if (mask) { apply_mask(out.data() + start + size, length, *mask, 0); }
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload, bool fin, std::optional<MaskKey> mask) {
    append_frame_header(out, opcode, payload.size(), fin, mask);
    const std::size_t start = out.size();
    out.append(payload);
    if (mask) { apply_mask(out.data() + start, payload.size(), *mask, 0); }
}

void append_close(std::string& out, std::uint16_t code, std::string_view reason, std::optional<MaskKey> mask) {
    std::string body;
    if (close_code::allowed(code)) {
        body = {static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
        body.append(cut(reason, max_control_payload - body.size()));
    }
    append_frame(out, Opcode::close, body, true, mask);
}

}  // namespace ws::websocket
