#include "websocket/decoder.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ws::websocket {

namespace {

// A buffer up to this size is kept from one message to the next while there is input.
constexpr std::size_t kept_capacity = 4096;

// How long a message of up to `n` bytes may be once compressed. What can't be compressed grows: zlib's deflateBound() says
// by an eighth and some bytes at most.
constexpr std::uint64_t compressed_bound(std::uint64_t n) noexcept { return n + n / 8 + 64; }

// So much is inflated at a time before it is looked at.
constexpr std::size_t inflated_piece = 16384;

}  // namespace

Decoder::Decoder(Sender sender, Limits limits, Inflater* inflater) noexcept
    : reader_(sender, inflater != nullptr ? Extensions::deflate : Extensions::none),
      limits_(limits),
      inflater_(inflater) {}

Event Decoder::next(std::span<char>& input) {
    drop_delivered();
    if (finished_) {
        input = {};
        release();
        return {};
    }
    for (;;) {
        if (!in_payload_) {
            std::string_view bytes(input.data(), input.size());
            FrameHeader header;
            const auto status = reader_.read(bytes, header);
            input = input.last(bytes.size());
            if (status == HeaderReader::Status::violation) {
                return violation(close_code::protocol_error, reader_.reason());
            }
            if (status == HeaderReader::Status::need_more) {
                if (!in_message_) { release(); }
                return {};
            }
            if (const Event refused = begin_frame(header); refused.kind != Event::Kind::need_more) { return refused; }
        }
        const Event event = take_payload(input);
        if (event.kind != Event::Kind::need_more || in_payload_) { return event; }
    }
}

std::vector<char> Decoder::take(const Event& message) {
    if (message.payload.data() == stored_.data() && message.payload.size() == stored_.size()) {
        return std::exchange(stored_, {});
    }
    return {message.payload.begin(), message.payload.end()};
}

Event Decoder::begin_frame(const FrameHeader& header) noexcept {
    frame_opcode_ = header.opcode;
    frame_fin_ = header.fin;
    mask_ = header.mask;
    remaining_ = header.length;
    in_payload_ = true;
    if (is_control(header.opcode)) { return {}; }
    if (header.opcode != Opcode::continuation) {
        in_message_ = true;
        message_type_ = header.opcode;
        compressed_ = (header.rsv & rsv1) != 0;
        fragments_ = 0;
    }
    if (fragments_ == limits_.max_fragments) {
        return violation(close_code::policy_violation, "message in too many fragments");
    }
    const std::uint64_t most = compressed_ ? compressed_bound(limits_.max_message) : limits_.max_message;
    if (header.length > most - message_size_) { return violation(close_code::message_too_big, "message too big"); }
    ++fragments_;
    message_size_ += header.length;
    return {};
}

Event Decoder::take_payload(std::span<char>& input) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
    std::string_view piece(input.data(), n);
    if (mask_ != MaskKey{}) {  // a key of zeros, as unmasked frames have it here, changes nothing
        apply_mask(input.data(), n, mask_, 0);
        std::rotate(mask_.begin(), mask_.begin() + n % mask_.size(), mask_.end());
    }
    input = input.subspan(n);
    remaining_ -= n;

    const bool control = is_control(frame_opcode_);
    if (compressed_ && !control) { return take_compressed(piece); }
    if (!control && message_type_ == Opcode::text && !utf8_.feed(piece)) {
        return violation(close_code::invalid_payload, "text is not UTF-8");
    }
    const std::size_t start = control ? static_cast<std::size_t>(held_) : 0;
    const bool ends = remaining_ == 0 && (control || frame_fin_);
    if (!ends || stored_.size() != start) {
        store(piece);
        if (remaining_ > 0) { return {}; }
        piece = std::string_view(stored_.data(), stored_.size()).substr(start);
    }
    in_payload_ = false;
    held_ = control ? held_ : message_size_;
    return ends ? end_frame(piece) : Event{};
}

Event Decoder::take_compressed(std::string_view piece) {
    if (const Event refused = inflate(piece); refused.kind != Event::Kind::need_more) { return refused; }
    if (remaining_ > 0) { return {}; }
    if (frame_fin_ && !inflater_->end_message()) {
        return violation(close_code::invalid_payload, "compressed message is cut off");
    }
    in_payload_ = false;
    held_ = stored_.size();
    return frame_fin_ ? end_frame({stored_.data(), stored_.size()}) : Event{};
}

// RFC 7692 names no code for data that is not DEFLATE. 1007 is for data "not consistent with the type of the message"
// (RFC 6455 7.4.1), and what other endpoints send.
Event Decoder::inflate(std::string_view compressed) {
    std::array<char, inflated_piece> memory;
    Inflater::Status status;
    do {
        std::span<char> room(memory);
        status = inflater_->inflate(compressed, room);
        std::string_view output(memory.data(), memory.size() - room.size());
        const bool too_big = output.size() > limits_.max_message - stored_.size();
        output = output.substr(0, static_cast<std::size_t>(limits_.max_message - stored_.size()));
        if (message_type_ == Opcode::text && !utf8_.feed(output)) {
            return violation(close_code::invalid_payload, "text is not UTF-8");
        }
        if (too_big) { return violation(close_code::message_too_big, "message too big"); }
        if (status == Inflater::Status::corrupt) {
            return violation(close_code::invalid_payload, "compressed data is corrupt");
        }
        store(output);
    } while (status == Inflater::Status::full);
    return {};
}

Event Decoder::end_frame(std::string_view payload) noexcept {
    switch (frame_opcode_) {
        case Opcode::ping: return {.kind = Event::Kind::ping, .payload = payload};
        case Opcode::pong: return {.kind = Event::Kind::pong, .payload = payload};
        case Opcode::close: return end_close(payload);
        case Opcode::continuation:
        case Opcode::text:
        case Opcode::binary: break;
    }
    if (message_type_ == Opcode::text && !utf8_.complete()) {
        return violation(close_code::invalid_payload, "text ends inside a character");
    }
    in_message_ = false;
    message_size_ = 0;
    held_ = 0;
    return {.kind = Event::Kind::message, .type = message_type_, .payload = payload};
}

// RFC 6455 5.5.1: an empty body, or a code in two bytes and UTF-8 after it.
Event Decoder::end_close(std::string_view payload) noexcept {
    Event event{.kind = Event::Kind::close};
    if (payload.size() == 1) { return violation(close_code::protocol_error, "close frame with half a code"); }
    if (!payload.empty()) {
        const auto high = static_cast<std::uint8_t>(payload[0]);
        const auto low = static_cast<std::uint8_t>(payload[1]);
        event.code = static_cast<std::uint16_t>(high << 8 | low);
        event.reason = payload.substr(2);
        if (!close_code::allowed(event.code)) {
            return violation(close_code::protocol_error, "close code not allowed");
        }
        Utf8Validator utf8;
        if (!utf8.feed(event.reason) || !utf8.complete()) {
            return violation(close_code::invalid_payload, "close reason is not UTF-8");
        }
    }
    finish();
    return event;
}

Event Decoder::violation(std::uint16_t code, std::string_view reason) noexcept {
    in_payload_ = false;
    message_size_ = 0;
    held_ = 0;
    finish();
    release();
    return {.kind = Event::Kind::violation, .code = code, .reason = reason};
}

// The last event is about to be given: nothing will be inflated any more.
void Decoder::finish() noexcept {
    finished_ = true;
    in_message_ = false;
    if (inflater_ != nullptr) { inflater_->clear(); }
}

// Doubles, so that many small pieces cost little, but not beyond what the message can still become. Where that is what it will
// become, and a sixteenth of it is here, it is what is taken: little is copied, the last step doesn't hold nearly all of it twice,
// and the heap keeps small holes only.
void Decoder::store(std::string_view piece) {
    const std::size_t needed = stored_.size() + piece.size();
    if (needed > stored_.capacity()) {
        const bool last = !is_control(frame_opcode_) && frame_fin_ && !compressed_;
        const std::uint64_t bound = last ? message_size_ : limits_.max_message;
        const std::uint64_t grown = (last ? 16 : 2) * static_cast<std::uint64_t>(stored_.capacity());
        stored_.reserve(std::max(needed, static_cast<std::size_t>(std::min(grown, bound))));
    }
    stored_.insert(stored_.end(), piece.begin(), piece.end());
}

// Between two frames, what is stored is the message so far: all else was given with the last event.
void Decoder::drop_delivered() noexcept {
    if (!in_payload_) {
        stored_.resize(static_cast<std::size_t>(held_));
        if (stored_.empty() && stored_.capacity() > kept_capacity) { release(); }
    }
}

void Decoder::release() noexcept { std::vector<char>().swap(stored_); }

}  // namespace ws::websocket
