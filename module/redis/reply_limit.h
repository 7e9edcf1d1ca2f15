// Finds where each reply ends, and which ones would cost too much memory, before the parser stores or allocates anything.
//
// Follows the framing of RESP2 (https://redis.io/docs/latest/develop/reference/protocol-spec/) and nothing else; values are
// hiredis's business. A reply is charged its bytes on the wire, by declared length, plus a fixed price for each element, near what
// hiredis allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ws::redis {

class ReplyLimit {
public:
    static constexpr std::size_t element_price = 64;

    explicit ReplyLimit(std::size_t max_reply) noexcept : max_(max_reply) {}

    // Takes the next bytes of the stream, up to the end of a reply at most, and answers how many it took.
    // After a whole reply the next call begins another.
    [[nodiscard]] std::size_t take(std::string_view bytes) noexcept;

    // The bytes last taken end a reply.
    [[nodiscard]] bool whole() const noexcept { return pending_ == 0; }

    // The reply of the bytes last taken exceeds the limit: it is to be skipped up to its end.
    [[nodiscard]] bool too_large() const noexcept { return too_large_; }

    // The next byte is no RESP2. Not to be called again after that.
    [[nodiscard]] bool broken() const noexcept { return broken_; }

private:
    enum class State { type, line, length, body };

    void charge(std::uint64_t cost) noexcept;
    bool take(char byte) noexcept;
    bool begin(char type) noexcept;
    bool length_digit(char byte) noexcept;
    bool end_of_length() noexcept;
    void end_of_element() noexcept;

    std::uint64_t max_;
    std::uint64_t cost_ = 0;     // of the reply under way
    std::uint64_t pending_ = 1;  // elements still to come in this reply
    std::uint64_t length_ = 0;   // declared length or count; in State::body the bytes still to skip
    bool too_large_ = false;
    bool broken_ = false;
    State state_ = State::type;
    char type_ = 0;
    bool negative_ = false;
    bool digits_ = false;
    bool cr_ = false;  // the last byte was CR
};

}  // namespace ws::redis
