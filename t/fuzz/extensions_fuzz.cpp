// Arbitrary Sec-WebSocket-Extensions lines and policies. What is agreed on must lie within the policy, be what the answer
// says, and have been offered; lines joined by commas must give the same as lines.
//
// Input: two bytes of policy, then lines; a byte of 1 to 31 stands for a piece of the grammar.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"
#include "websocket/extensions.h"

using namespace ws::websocket;

namespace {

constexpr std::string_view pieces[] = {"permessage-deflate",
                                       "server_no_context_takeover",
                                       "client_no_context_takeover",
                                       "server_max_window_bits",
                                       "client_max_window_bits",
                                       "; ",
                                       ", ",
                                       "=8",
                                       "=9",
                                       "=10",
                                       "=12",
                                       "=15",
                                       "=16",
                                       "=\"11\"",
                                       "=\"1\\4\"",
                                       "x",
                                       "=",
                                       "\"",
                                       " ",
                                       "\t",
                                       "\\"};

std::vector<std::string> parse(const std::uint8_t* data, std::size_t size) {
    std::vector<std::string> lines(1);
    for (std::size_t i = 0; i < size; ++i) {
        const auto byte = static_cast<unsigned char>(data[i]);
        if (byte == '\n') {
            lines.emplace_back();
        } else if (byte >= 1 && byte <= 31) {
            lines.back() += byte - 1u < std::size(pieces) ? pieces[byte - 1u] : std::string_view("\x01", 1);
        } else {
            lines.back().push_back(static_cast<char>(byte));
        }
    }
    return lines;
}

Negotiation negotiate(const std::vector<std::string>& lines, const DeflatePolicy& policy) {
    std::vector<std::unique_ptr<char[]>> memory;  // exact, so that an overrun shows
    std::vector<std::string_view> views;
    for (const std::string& line : lines) {
        memory.push_back(std::make_unique<char[]>(line.size()));
        line.copy(memory.back().get(), line.size());
        views.emplace_back(memory.back().get(), line.size());
    }
    return negotiate_extensions(views, policy);
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

bool in_range(std::uint8_t bits) { return bits >= min_window_bits && bits <= max_window_bits; }

// The answer, read by plainer means.
void check_response(const Negotiation& got) {
    const DeflateParameters& agreed = *got.deflate;
    require(got.response.starts_with("permessage-deflate"));
    require(contains(got.response, "; server_no_context_takeover") == !agreed.server_context_takeover);
    require(contains(got.response, "; client_no_context_takeover") == !agreed.client_context_takeover);
    const auto says = [&](const char* name, std::uint8_t bits) {
        return contains(got.response + ";", "; " + std::string(name) + "=" + std::to_string(bits) + ";");
    };
    require(says("server_max_window_bits", agreed.server_window_bits) ||
            (agreed.server_window_bits == max_window_bits && !contains(got.response, "server_max_window_bits")));
    require(says("client_max_window_bits", agreed.client_window_bits) ||
            (agreed.client_window_bits == max_window_bits && !contains(got.response, "client_max_window_bits")));
}

void check_agreed(const Negotiation& got, const DeflatePolicy& policy, const std::string& joined) {
    const DeflateParameters& agreed = *got.deflate;
    require(in_range(agreed.server_window_bits) && agreed.server_window_bits <= policy.server_window_bits);
    require(in_range(agreed.client_window_bits) && agreed.client_window_bits <= policy.client_window_bits);
    require(policy.server_context_takeover || !agreed.server_context_takeover);
    require(policy.client_context_takeover || !agreed.client_context_takeover);
    require(contains(joined, "permessage-deflate"));
    require(agreed.client_window_bits == max_window_bits || contains(joined, "client_max_window_bits"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) { return 0; }
    const DeflatePolicy policy{
        .server_context_takeover = (data[0] & 8) == 0,
        .client_context_takeover = (data[1] & 8) == 0,
        .server_window_bits = static_cast<std::uint8_t>(min_window_bits + (data[0] & 7)),
        .client_window_bits = static_cast<std::uint8_t>(min_window_bits + (data[1] & 7)),
    };
    const std::vector<std::string> lines = parse(data + 2, size - 2);
    std::string joined;
    for (const std::string& line : lines) { joined += (joined.empty() ? "" : ",") + line; }

    const Negotiation got = negotiate(lines, policy);
    require(got.response.empty() == !got.deflate);
    require(!got.malformed || !got.deflate);
    if (got.deflate) {
        check_agreed(got, policy, joined);
        check_response(got);
        const Negotiation joint = negotiate({joined}, policy);
        require(joint.response == got.response && joint.deflate == got.deflate);
        // What was agreed on is an offer that can be kept, and gives the same again.
        const Negotiation again = negotiate({got.response + "; client_max_window_bits"}, policy);
        require(contains(got.response, "client_max_window_bits") || again.deflate == got.deflate);
    }
    return 0;
}
