// The answer to the gateway's ping is taken out of a client's stream, wherever it stands and however it is cut.
#include "relay/headers_delivery.h"

#include <string>

#include "cmocka.hpp"
#include "websocket/frame.h"

namespace {

using namespace ws::relay;
using ws::test::assert_bytes_equal;
using ws::websocket::append_frame;
using ws::websocket::MaskKey;
using ws::websocket::Opcode;

class Keys final : public MaskKeys {
public:
    MaskKey next() noexcept override {
        ++count_;
        return {0x11, 0x22, 0x33, count_};
    }

private:
    std::uint8_t count_ = 0;
};

constexpr MaskKey client_mask{0xa0, 0xb1, 0xc2, 0xd3};
const std::string payload("\x11\x22\x33\x01\x11\x22\x33\x02", 8);

std::string client_frame(Opcode opcode, std::string_view data) {
    std::string out;
    append_frame(out, opcode, data, true, client_mask);
    return out;
}

// What the backend gets of `stream` in pieces of `size` bytes, after a ping.
std::string passed(const std::string& stream, std::size_t size) {
    Keys keys;
    HeadersDelivery delivery(false, keys);
    Output output;
    assert_true(delivery.ping(output));
    std::string ping;
    append_frame(ping, Opcode::ping, payload, true, std::nullopt);
    assert_bytes_equal(output.client, ping);

    std::string got;
    for (std::size_t at = 0; at < stream.size(); at += size) {
        std::string piece = stream.substr(at, size);
        std::span<char> input(piece);
        delivery.consume(Side::client, input, output);
        assert_true(input.empty());
        got.append(output.forward).append(output.backend);
        output.forward = {};
        output.backend.clear();
    }
    return got;
}

void the_answer_is_taken_out_wherever_it_stands(void**) {
    const std::string answer = client_frame(Opcode::pong, payload);
    const std::string before =
        client_frame(Opcode::text, "hello") + client_frame(Opcode::binary, std::string(300, '\x8a'));
    const std::string after = client_frame(Opcode::pong, "the same") + client_frame(Opcode::text, "") +
                              client_frame(Opcode::close, "\x03\xe8");
    for (const auto& [first, last] : {std::pair(std::string(), std::string()), std::pair(before, std::string()),
                                      std::pair(std::string(), after), std::pair(before, after)}) {
        const std::string stream = first + answer + last;
        for (std::size_t size = 1; size <= stream.size(); ++size) {
            assert_bytes_equal(passed(stream, size), first + last);
        }
    }
}

void what_only_looks_like_it_passes(void**) {
    const std::string stream = client_frame(Opcode::pong, "\x11\x22\x33\x01\x11\x22\x33\x03") +
                               client_frame(Opcode::pong, payload.substr(0, 7)) + client_frame(Opcode::ping, payload) +
                               client_frame(Opcode::text, payload) +
                               client_frame(Opcode::binary, client_frame(Opcode::pong, payload));
    for (std::size_t size = 1; size <= stream.size(); ++size) { assert_bytes_equal(passed(stream, size), stream); }
}

void a_second_answer_is_not_ours(void**) {
    const std::string answer = client_frame(Opcode::pong, payload);
    for (std::size_t size = 1; size <= 2 * answer.size(); ++size) {
        assert_bytes_equal(passed(answer + answer, size), answer);
    }
}

void a_bad_header_behind_it_is_still_seen(void**) {
    const std::string bad = client_frame(Opcode::pong, payload) + "\x83";
    std::string close;
    ws::websocket::append_close(close, 1001, "", MaskKey{0x11, 0x22, 0x33, 3});
    for (std::size_t size = 1; size <= bad.size(); ++size) { assert_bytes_equal(passed(bad, size), close); }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_is_taken_out_wherever_it_stands),
        cmocka_unit_test(what_only_looks_like_it_passes),
        cmocka_unit_test(a_second_answer_is_not_ours),
        cmocka_unit_test(a_bad_header_behind_it_is_still_seen),
    };
    return cmocka_run_group_tests_name("relay pong filter", tests, nullptr, nullptr);
}
