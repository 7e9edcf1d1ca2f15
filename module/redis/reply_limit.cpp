#include "redis/reply_limit.h"

#include <algorithm>

namespace ws::redis {

namespace {

constexpr std::size_t end_of_line = 2;  // CR LF

}  // namespace

std::size_t ReplyLimit::accept(std::string_view bytes) noexcept
{
    std::size_t used = 0;
    while (used < bytes.size()) {
        if (state_ != State::body) {
            if (!take(bytes[used])) {
                break;
            }
            ++used;
            continue;
        }
        // Paid for when its length was declared.
        const std::size_t skipped = std::min(length_, bytes.size() - used);
        used += skipped;
        length_ -= skipped;
        if (length_ == 0) {
            end_of_element();
        }
    }
    return used;
}

bool ReplyLimit::charge(std::size_t cost) noexcept
{
    if (cost > max_ - cost_) {
        return false;
    }
    cost_ += cost;
    return true;
}

bool ReplyLimit::take(char byte) noexcept
{
    if (!charge(1)) {
        return false;
    }
    const bool line_ends = cr_ && byte == '\n';
    const bool after_cr = cr_;
    cr_ = byte == '\r';
    switch (state_) {
    case State::type:
        return begin(byte);
    case State::line:
        if (line_ends) {
            end_of_element();
        }
        return true;
    case State::length:
        if (after_cr) {
            return line_ends && end_of_length();
        }
        return cr_ || length_digit(byte);
    case State::body:
        break;
    }
    return false;
}

bool ReplyLimit::begin(char type) noexcept
{
    type_ = type;
    length_ = 0;
    negative_ = false;
    digits_ = false;
    switch (type) {
    case '+':
    case '-':
    case ':':
        state_ = State::line;
        return true;
    case '$':
    case '*':
        state_ = State::length;
        return true;
    default:
        return false;
    }
}

bool ReplyLimit::length_digit(char byte) noexcept
{
    if (byte == '-' && !negative_ && !digits_) {
        negative_ = true;
        return true;
    }
    if (byte < '0' || byte > '9') {
        return false;
    }
    digits_ = true;
    length_ = length_ * 10 + static_cast<std::size_t>(byte - '0');
    return length_ <= max_;
}

bool ReplyLimit::end_of_length() noexcept
{
    if (!digits_ || (negative_ && length_ != 1)) {
        return false;
    }
    if (negative_) {  // null
        end_of_element();
        return true;
    }
    if (type_ == '$') {
        state_ = State::body;
        length_ += end_of_line;
        return charge(length_);
    }
    if (length_ > max_ / element_price || !charge(length_ * element_price)) {
        return false;
    }
    pending_ += length_;
    end_of_element();
    return true;
}

void ReplyLimit::end_of_element() noexcept
{
    state_ = State::type;
    if (--pending_ == 0) {
        pending_ = 1;
        cost_ = 0;
        ++replies_;
    }
}

}  // namespace ws::redis
