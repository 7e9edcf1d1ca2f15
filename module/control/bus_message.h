// What workers say to each other through Redis' channels: one line of JSON (the head), and what would be a burden there (the
// body: a message's payload, a merge patch, descriptions of connections).
//
//     {"v":1,"question":"7","reply_to":"{ws:control}:reply:…","act":{"connection":"c7f3…","event":"message","type":"text"}}⏎hello
//     {"v":1,"answer":"7","status":202}⏎
//
// Whoever can publish there can be anybody, so it is parsed strictly, and nothing is believed that isn't checked.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "control/answer.h"
#include "control/request.h"

namespace ws::control {

inline constexpr std::size_t max_body = 8 * 1024 * 1024;
inline constexpr std::size_t max_head = 16 * 1024;
inline constexpr std::size_t max_number = 32;    // bytes
inline constexpr std::size_t max_channel = 256;  // bytes of its name

struct Question {
    std::string number;    // the asker's own, to know the answers by
    std::string reply_to;  // the channel where the asker listens
    Request request;
};

struct Reply {
    std::string number;
    Answer answer;
};

[[nodiscard]] std::string encode(const Question& question);
[[nodiscard]] std::string encode(const Reply& reply);

// Nothing: it is none. All that a request promises holds then: ids are ids, codes may be sent, text is UTF-8.
[[nodiscard]] std::optional<Question> parse_question(std::string_view text);
[[nodiscard]] std::optional<Reply> parse_reply(std::string_view text);

}  // namespace ws::control
