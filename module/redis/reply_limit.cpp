#include "redis/reply_limit.h"

#include <algorithm>

namespace ws::redis {

namespace {

constexpr std::uint64_t end_of_line = 2;  // CR LF

// Redis's own limit of a value (proto-max-bulk-len). A length above it is no reply to believe in.
constexpr std::uint64_t max_length = 512 * 1024 * 1024;

}  // namespace

std::size_t ReplyLimit::take(std::string_view bytes) noexcept {
    if (whole()) {
        pending_ = 1;
        cost_ = 0;
        too_large_ = false;
    }
    std::size_t used = 0;
    while (used < bytes.size() && !whole()) {
        if (state_ != State::body) {
            if (!take(bytes[used])) {
                broken_ = true;
                break;
            }
            ++used;
            continue;
        }
        // Paid for when its length was declared.
        const std::uint64_t skipped = std::min<std::uint64_t>(length_, bytes.size() - used);
        used += static_cast<std::size_t>(skipped);
        length_ -= skipped;
        if (length_ == 0) { end_of_element(); }
    }
    return used;
}

void ReplyLimit::charge(std::uint64_t cost) noexcept {
    cost_ += cost;
    too_large_ = too_large_ || cost_ > max_;
}

bool ReplyLimit::take(char byte) noexcept {
    charge(1);
    const bool after_cr = cr_;
    cr_ = byte == '\r';
    switch (state_) {
        case State::type: return begin(byte);
        case State::line:
            if (after_cr && byte == '\n') { end_of_element(); }
            return true;
        case State::length:
            if (after_cr) { return byte == '\n' && end_of_length(); }
            return cr_ || length_digit(byte);
        case State::body: break;
    }
    return false;
}

bool ReplyLimit::begin(char type) noexcept {
    type_ = type;
    length_ = 0;
    negative_ = false;
    digits_ = false;
    switch (type) {
        case '+':
        case '-':
        case ':': state_ = State::line; return true;
        case '$':
        case '*': state_ = State::length; return true;
        default: return false;
    }
}

bool ReplyLimit::length_digit(char byte) noexcept {
    if (byte == '-' && !negative_ && !digits_) {
        negative_ = true;
        return true;
    }
    if (byte < '0' || byte > '9') { return false; }
    digits_ = true;
    length_ = length_ * 10 + static_cast<std::uint64_t>(byte - '0');
    return length_ <= max_length;
}

bool ReplyLimit::end_of_length() noexcept {
    if (!digits_ || (negative_ && length_ != 1)) { return false; }
    if (negative_) {  // null
        end_of_element();
    } else if (type_ == '$') {
        state_ = State::body;
        length_ += end_of_line;
        charge(length_);
    } else {
        charge(length_ * element_price);
        pending_ += length_;
        end_of_element();
    }
    return true;
}

void ReplyLimit::end_of_element() noexcept {
    state_ = State::type;
    --pending_;
}

}  // namespace ws::redis
