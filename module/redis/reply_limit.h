// Refuses replies that would cost too much memory, by the lengths they declare, before the parser stores or allocates anything.
//
// Follows the framing of RESP2 (https://redis.io/docs/latest/develop/reference/protocol-spec/) and nothing else; values are
// hiredis's business. A reply is charged its bytes on the wire plus a fixed price for each element, near what hiredis allocates.
#pragma once

#include <cstddef>
#include <string_view>

namespace ws::redis {

class ReplyLimit {
public:
    static constexpr std::size_t element_price = 64;

    explicit ReplyLimit(std::size_t max_reply) noexcept : max_(max_reply) {}

    // Takes the next bytes of the stream and answers how many of them are within the limit: fewer than given means that the
    // reply then begun is too large, or that the bytes are no RESP2. Not to be called again after that.
    [[nodiscard]] std::size_t accept(std::string_view bytes) noexcept;

    // Whole replies seen so far.
    [[nodiscard]] std::size_t replies() const noexcept { return replies_; }

private:
    enum class State { type, line, length, body };

    bool charge(std::size_t cost) noexcept;
    bool take(char byte) noexcept;
    bool begin(char type) noexcept;
    bool length_digit(char byte) noexcept;
    bool end_of_length() noexcept;
    void end_of_element() noexcept;

    std::size_t max_;
    std::size_t cost_ = 0;     // of the reply under way
    std::size_t pending_ = 1;  // elements still to come in this reply
    std::size_t length_ = 0;   // declared length or count; in State::body the bytes still to skip
    std::size_t replies_ = 0;
    State state_ = State::type;
    char type_ = 0;
    bool negative_ = false;
    bool digits_ = false;
    bool cr_ = false;  // the last byte was CR
};

}  // namespace ws::redis
