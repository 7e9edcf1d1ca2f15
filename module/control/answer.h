// What is answered to a request, by one worker or by all of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ws::control {

// The HTTP statuses that an answer may have.
namespace status {
inline constexpr int ok = 200;
inline constexpr int accepted = 202;  // the gateway has taken the message; whether the client reads it nobody knows
inline constexpr int no_content = 204;
inline constexpr int bad_request = 400;
inline constexpr int not_found = 404;
inline constexpr int not_allowed = 405;
inline constexpr int conflict = 409;  // never possible with this connection
inline constexpr int gone = 410;      // the connection has ended, or is ending
inline constexpr int too_large = 413;
inline constexpr int unsupported_type = 415;
inline constexpr int unavailable = 503;
inline constexpr int timeout = 504;
}  // namespace status

struct Answer {
    int status = status::ok;
    std::string detail;                    // why, unless it is a success
    std::vector<std::string> connections;  // JSON objects as describe() writes them, in the order of their ids
    bool more = false;                     // there are connections behind the last one of the page
    std::size_t closed = 0;
};

// One connection, for people and programs.
struct Description {
    std::string_view id;
    std::string_view session;  // its name; empty: no token
    std::string_view delivery;
    std::string_view path;
    std::string_view client;   // its address
    std::string_view context;  // JSON, or empty
    std::uint64_t age_ms = 0;
    std::uint64_t messages_in = 0;
    std::uint64_t messages_out = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
};

// A JSON object on one line of ASCII, whose first member is the id.
[[nodiscard]] std::string describe(const Description& connection);

// The id of an object that describe() has written.
[[nodiscard]] std::string_view described_id(std::string_view connection) noexcept;

// Bytes of descriptions in one worker's page, so that nobody has to take in more at once; one description has any size.
inline constexpr std::size_t max_page = 128 * 1024;

}  // namespace ws::control
