// Frame headers, read and written. RFC 6455 5.1 (masking), 5.2 (reserved bits, opcodes, lengths), 5.3 (keys), 5.4 (order of
// fragments), 5.5 (control frames), 5.5.1 and 7.4 (close frames written); RFC 7692 6.1 (RSV1).
#include "cmocka.hpp"

#include <vector>

#include "websocket/close_code.h"
#include "websocket/frame.h"
#include "websocket_wire.hpp"

using namespace ws::websocket;
using ws::test::assert_bytes_equal;
using Status = HeaderReader::Status;

namespace {

struct Refused {
    const char* name;
    Sender sender;
    Extensions extensions;
    const char* bytes;  // hex: headers only, the payloads are empty up to the wrong one
    std::size_t taken;  // up to and including the byte that shows it
    const char* reason;
};

constexpr auto from_client = Sender::client;
constexpr auto from_server = Sender::server;
constexpr auto none = Extensions::none;
constexpr auto deflate = Extensions::deflate;
constexpr auto any = Extensions::any;

constexpr Refused refused[] = {
    {"5.2 reserved opcode 3", from_server, none, "83 00", 1, "reserved opcode"},
    {"5.2 reserved opcode 4", from_server, none, "84 00", 1, "reserved opcode"},
    {"5.2 reserved opcode 5", from_server, deflate, "c5 00", 1, "reserved opcode"},
    {"5.2 reserved opcode 6", from_server, none, "06 00", 1, "reserved opcode"},
    {"5.2 reserved opcode 7", from_server, none, "87 00", 1, "reserved opcode"},
    {"5.2 reserved opcode 11", from_server, none, "8b 00", 1, "reserved opcode"},
    {"5.2 reserved opcode 12", from_server, none, "8c 00", 1, "reserved opcode"},
    {"5.2 reserved opcode 13", from_client, deflate, "cd 80", 1, "reserved opcode"},
    {"5.2 reserved opcode 14", from_server, none, "0e 00", 1, "reserved opcode"},
    {"5.2 reserved opcode 15", from_server, any, "8f 00", 1, "reserved opcode"},
    {"5.2 RSV1 without extension", from_server, none, "c1 00", 1, "reserved bit set"},
    {"5.2 RSV2 without extension", from_server, none, "a2 00", 1, "reserved bit set"},
    {"5.2 RSV3 without extension", from_server, none, "91 00", 1, "reserved bit set"},
    {"5.2 RSV1 on a ping with extension", from_server, any, "c9 00", 1, "reserved bit set"},
    {"5.2 RSV1 on a close with extension", from_server, any, "c8 00", 1, "reserved bit set"},
    {"RFC 7692 6.1 RSV2 with compression", from_server, deflate, "e1 00", 1, "reserved bit set"},
    {"RFC 7692 6.1 RSV3 with compression", from_server, deflate, "92 00", 1, "reserved bit set"},
    {"RFC 7692 6.1 RSV1 on a continuation", from_server, deflate, "41 00 c0 00", 3, "reserved bit set"},
    {"RFC 7692 6.1 RSV1 on a continuation only", from_server, deflate, "01 00 40 00", 3, "reserved bit set"},
    {"RFC 7692 6.1 RSV1 on a ping", from_server, deflate, "c9 00", 1, "reserved bit set"},
    {"RFC 7692 6.1 RSV1 on a pong", from_client, deflate, "ca 80", 1, "reserved bit set"},
    {"RFC 7692 6.1 RSV1 on a close", from_server, deflate, "c8 00", 1, "reserved bit set"},
    {"5.5 fragmented pong", from_server, none, "0a 00", 1, "fragmented control frame"},
    {"5.5 fragmented ping", from_server, none, "09 00", 1, "fragmented control frame"},
    {"5.5 fragmented close", from_server, none, "08 00", 1, "fragmented control frame"},
    {"5.5 ping of 126", from_server, none, "89 7e 00 7e", 2, "control frame too long"},
    {"5.5 pong of 126", from_client, none, "8a fe 00 7e", 2, "control frame too long"},
    {"5.5 close of 126", from_server, none, "88 7e 00 7e", 2, "control frame too long"},
    {"5.5 close of 2^16", from_client, none, "88 ff 00 00 00 00 00 01 00 00 00 00 00 00", 2, "control frame too long"},
    {"5.4 continuation first", from_server, none, "80 00", 1, "continuation of nothing"},
    {"5.4 continuation after the final fragment", from_server, none, "01 00 80 00 80 00", 5, "continuation of nothing"},
    {"5.4 text inside text", from_server, none, "01 00 81 00", 3, "message inside a fragmented message"},
    {"5.4 binary inside text, a ping between", from_server, none, "01 00 89 00 02 00", 5,
     "message inside a fragmented message"},
    {"5.1 client without mask", from_client, none, "81 05", 2, "unmasked frame from a client"},
    {"5.1 client's ping without mask", from_client, none, "89 00", 2, "unmasked frame from a client"},
    {"5.1 client's fragment without mask", from_client, none, "01 80 00 00 00 00 80 00", 8,
     "unmasked frame from a client"},
    {"5.1 server's close with mask", from_server, none, "88 82 37 fa 21 3d", 2, "masked frame from a server"},
    {"5.1 server with mask", from_server, none, "81 85 37 fa 21 3d", 2, "masked frame from a server"},
    {"5.2 125 in two bytes", from_server, none, "82 7e 00 7d", 4, "frame length not in its shortest form"},
    {"5.2 0 in eight bytes", from_server, none, "82 7f 00 00 00 00 00 00 00 00", 10,
     "frame length not in its shortest form"},
    {"5.2 65535 in eight bytes", from_client, none, "82 ff 00 00 00 00 00 00 ff ff 01 02 03 04", 10,
     "frame length not in its shortest form"},
    {"5.2 2^63", from_server, none, "82 7f 80 00 00 00 00 00 00 00", 3, "frame length out of range"},
};

// Reads header after header as if all payloads were empty.
void wrong_headers_are_refused_at_the_byte_that_shows_it(void**) {
    for (const Refused& vector : refused) {
        const std::string bytes = wire::hex(vector.bytes);
        wire::each_way(bytes, [&](std::size_t piece) {
            HeaderReader reader(vector.sender, vector.extensions);
            Status status = Status::need_more;
            std::size_t taken = 0;
            wire::deliver(bytes, piece, [&](std::span<char> now) {
                std::string_view input(now.data(), now.size());
                FrameHeader header;
                while (status != Status::violation && !input.empty()) { status = reader.read(input, header); }
                taken += now.size() - input.size();
            });
            if (status != Status::violation || taken != vector.taken || reader.reason() != vector.reason) {
                fail_msg("%s: pieces of %zu: %zu bytes taken, reason '%s'", vector.name, piece, taken,
                         std::string(reader.reason()).c_str());
            }
        });
    }
}

struct Accepted {
    const char* name;
    Sender sender;
    Extensions extensions;
    const char* bytes;  // hex
    FrameHeader header;
};

constexpr MaskKey no_mask{};

const Accepted accepted[] = {
    {"5.7 unmasked Hello", from_server, none, "81 05", {true, 0, Opcode::text, false, no_mask, 5}},
    {"5.7 masked Hello", from_client, none, "81 85 37 fa 21 3d", {true, 0, Opcode::text, true, wire::key, 5}},
    {"5.7 first fragment Hel", from_server, none, "01 03", {false, 0, Opcode::text, false, no_mask, 3}},
    {"5.7 ping", from_server, none, "89 05", {true, 0, Opcode::ping, false, no_mask, 5}},
    {"5.7 256 bytes", from_server, none, "82 7e 01 00", {true, 0, Opcode::binary, false, no_mask, 256}},
    {"5.7 64 KiB",
     from_server,
     none,
     "82 7f 00 00 00 00 00 01 00 00",
     {true, 0, Opcode::binary, false, no_mask, 65536}},
    {"5.2 empty", from_server, none, "82 00", {true, 0, Opcode::binary, false, no_mask, 0}},
    {"5.2 longest without extended length", from_server, none, "82 7d", {true, 0, Opcode::binary, false, no_mask, 125}},
    {"5.2 shortest in two bytes",
     from_client,
     none,
     "82 fe 00 7e 37 fa 21 3d",
     {true, 0, Opcode::binary, true, wire::key, 126}},
    {"5.2 longest in two bytes", from_server, none, "82 7e ff ff", {true, 0, Opcode::binary, false, no_mask, 65535}},
    {"5.2 2^63 - 1",
     from_client,
     none,
     "82 ff 7f ff ff ff ff ff ff ff 37 fa 21 3d",
     {true, 0, Opcode::binary, true, wire::key, 0x7FFFFFFFFFFFFFFF}},
    {"5.5 pong of 125", from_server, none, "8a 7d", {true, 0, Opcode::pong, false, no_mask, 125}},
    {"5.5.1 close", from_server, none, "88 02", {true, 0, Opcode::close, false, no_mask, 2}},
    {"5.2 RSV1 with extension", from_server, any, "c1 00", {true, 4, Opcode::text, false, no_mask, 0}},
    {"5.2 RSV2 and RSV3 with extension", from_server, any, "b1 00", {true, 3, Opcode::text, false, no_mask, 0}},
    {"RFC 7692 6.1 RSV1 on text", from_server, deflate, "c1 00", {true, 4, Opcode::text, false, no_mask, 0}},
    {"RFC 7692 6.1 RSV1 on a first fragment",
     from_client,
     deflate,
     "42 83 37 fa 21 3d",
     {false, 4, Opcode::binary, true, wire::key, 3}},
    {"RFC 7692 6.1 no RSV1: not compressed", from_server, deflate, "81 00", {true, 0, Opcode::text, false, no_mask, 0}},
    {"5.3 a mask of zeros is a mask",
     from_client,
     none,
     "81 80 00 00 00 00",
     {true, 0, Opcode::text, true, no_mask, 0}},
};

bool same(const FrameHeader& a, const FrameHeader& b) {
    return a.fin == b.fin && a.rsv == b.rsv && a.opcode == b.opcode && a.masked == b.masked && a.mask == b.mask &&
           a.length == b.length;
}

void right_headers_are_read_when_whole_and_not_a_byte_earlier(void**) {
    for (const Accepted& vector : accepted) {
        const std::string bytes = wire::hex(vector.bytes);
        wire::each_way(bytes, [&](std::size_t piece) {
            HeaderReader reader(vector.sender, vector.extensions);
            FrameHeader header{.length = 4711};
            std::size_t fed = 0;
            wire::deliver(bytes, piece, [&](std::span<char> now) {
                std::string_view input(now.data(), now.size());
                const Status status = reader.read(input, header);
                fed += now.size();
                const bool whole = fed == bytes.size();
                if (!input.empty() || status != (whole ? Status::whole : Status::need_more) ||
                    reader.in_header() == whole || same(header, vector.header) != whole) {
                    fail_msg("%s: after %zu bytes in pieces of %zu", vector.name, fed, piece);
                }
                if (!whole) { assert_int_equal(header.length, 4711); }
            });
        });
    }
}

void payload_bytes_after_a_header_are_left_in_the_input(void**) {
    HeaderReader reader(from_server, none);
    FrameHeader header;
    std::string_view input("\x81\x05Hello", 7);
    assert_true(reader.read(input, header) == Status::whole);
    assert_bytes_equal(input, "Hello");
}

void fragments_are_open_from_the_first_header_to_the_final_one(void**) {
    const struct {
        const char* header;
        bool open;
    } steps[] = {{"81 00", false}, {"01 00", true},  {"00 00", true},
                 {"89 00", true},  {"80 00", false}, {"8a 00", false}};
    HeaderReader reader(from_server, none);
    for (const auto& step : steps) {
        const std::string bytes = wire::hex(step.header);
        std::string_view input = bytes;
        FrameHeader header;
        assert_true(reader.read(input, header) == Status::whole);
        assert_int_equal(reader.in_fragments(), step.open);
    }
}

void written_frames_are_those_of_the_wire(void**) {
    for (const std::size_t n : {0u, 1u, 5u, 125u, 126u, 127u, 65535u, 65536u, 70001u}) {
        std::string payload(n, '\0');
        for (std::size_t i = 0; i < n; ++i) { payload[i] = static_cast<char>(i * 7); }
        std::string out = "before";
        append_frame(out, Opcode::binary, payload, true, std::nullopt);
        append_frame(out, Opcode::text, payload, false, wire::key);
        const std::string expected = "before" + wire::server(0x82, payload) + wire::client(0x01, payload);
        assert_bytes_equal(out, expected);
    }
}

void rfc_5_7_examples_are_written(void**) {
    std::string out;
    append_frame(out, Opcode::text, "Hello", true, std::nullopt);
    append_frame(out, Opcode::text, "Hello", true, wire::key);
    append_frame(out, Opcode::text, "Hel", false, std::nullopt);
    append_frame(out, Opcode::continuation, "lo", true, std::nullopt);
    append_frame(out, Opcode::pong, "Hello", true, wire::key);
    const std::string expected = wire::hex(
        "81 05 48 65 6c 6c 6f  81 85 37 fa 21 3d 7f 9f 4d 51 58  01 03 48 65 6c  80 02 6c 6f"
        "8a 85 37 fa 21 3d 7f 9f 4d 51 58");
    assert_bytes_equal(out, expected);
}

void a_header_can_be_written_without_its_payload(void**) {
    std::string out;
    append_frame_header(out, Opcode::binary, 0x123456789A, true, wire::key);
    const std::string expected = wire::hex("82 ff 00 00 00 12 34 56 78 9a 37 fa 21 3d");
    assert_bytes_equal(out, expected);
}

void reserved_bits_are_written(void**) {
    std::string out;
    append_frame_header(out, Opcode::text, 7, true, std::nullopt, rsv1);
    append_frame_header(out, Opcode::binary, 7, false, std::nullopt, 7);
    assert_bytes_equal(out, wire::hex("c1 07 72 07"));
}

void expect_close(std::uint16_t code, std::string_view reason, const std::string& body) {
    std::string out;
    append_close(out, code, reason, std::nullopt);
    append_close(out, code, reason, wire::key);
    const std::string expected = wire::server(0x88, body) + wire::client(0x88, body);
    assert_bytes_equal(out, expected);
}

void close_frames_carry_code_and_reason(void**) {
    expect_close(close_code::normal, "", wire::hex("03 e8"));
    expect_close(4401, "bye", wire::hex("11 31") + "bye");
    expect_close(close_code::none, "not sent", "");
    expect_close(close_code::normal, std::string(123, 'a'), wire::hex("03 e8") + std::string(123, 'a'));
}

// 7.4.1: 1004, 1005, 1006 and 1015 must not be set by an endpoint; 7.4.2: what is below 1000 or not assigned isn't used.
void codes_that_must_not_be_sent_are_not_sent(void**) {
    for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535}) {
        expect_close(static_cast<std::uint16_t>(code), "not sent", "");
    }
}

// 5.5: 125 bytes, two of them the code; 5.5.1: the reason is UTF-8.
void long_close_reasons_are_cut_between_characters(void**) {
    const std::string code = wire::hex("03 e8");
    expect_close(1000, std::string(124, 'a'), code + std::string(123, 'a'));
    for (const std::string_view character : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
        for (std::size_t pad = 119; pad <= 124; ++pad) {
            const std::string start(pad, 'a');
            const std::string reason = start + std::string(character) + "bbbbbbbb";
            const std::size_t end = pad + character.size();
            const std::string kept = end <= 123 ? reason.substr(0, 123) : start.substr(0, 123);
            expect_close(1000, reason, code + kept);
        }
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(wrong_headers_are_refused_at_the_byte_that_shows_it),
        cmocka_unit_test(right_headers_are_read_when_whole_and_not_a_byte_earlier),
        cmocka_unit_test(payload_bytes_after_a_header_are_left_in_the_input),
        cmocka_unit_test(fragments_are_open_from_the_first_header_to_the_final_one),
        cmocka_unit_test(written_frames_are_those_of_the_wire),
        cmocka_unit_test(rfc_5_7_examples_are_written),
        cmocka_unit_test(a_header_can_be_written_without_its_payload),
        cmocka_unit_test(reserved_bits_are_written),
        cmocka_unit_test(codes_that_must_not_be_sent_are_not_sent),
        cmocka_unit_test(close_frames_carry_code_and_reason),
        cmocka_unit_test(long_close_reasons_are_cut_between_characters),
    };
    return cmocka_run_group_tests_name("websocket frames", tests, nullptr, nullptr);
}
