// Headers delivery alone: which bytes go on, what a broken frame header leads to, where close frames are put in.
#include <memory>
#include <string>

#include "relay/headers_delivery.h"
#include "websocket_wire.hpp"

#include "cmocka.hpp"  // last: it makes `fail` a macro

using namespace ws::relay;
using wire::client;
using wire::hex;
using wire::server;
using ws::test::assert_bytes_equal;

namespace {

class OneMaskKey final : public MaskKeys {
public:
    ws::websocket::MaskKey next() noexcept override { return wire::key; }
};

std::string close_body(unsigned code, std::string_view reason = "") {
    return std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)} + std::string(reason);
}
std::string client_close(unsigned code, std::string_view reason = "") { return client(0x88, close_body(code, reason)); }
std::string server_close(unsigned code, std::string_view reason = "") { return server(0x88, close_body(code, reason)); }

// A delivery and all that it has sent to each side.
struct Line {
    explicit Line(bool extensions = false) : delivery(extensions, keys) {}

    Line& consume(Side from, std::string bytes) {
        std::span<char> input(bytes);
        Output output;
        delivery.consume(from, input, output);
        assert_true(input.empty());
        sent(other(from)) += output.forward;
        return take(output);
    }
    // In pieces of `size` bytes.
    Line& consume(Side from, std::string_view bytes, std::size_t size) {
        for (std::size_t at = 0; at < bytes.size(); at += size) { consume(from, std::string(bytes.substr(at, size))); }
        return *this;
    }
    Line& ended(Side from) {
        Output output;
        delivery.ended(from, output);
        return take(output);
    }
    Line& close(const Close& to_client, const Close& to_backend) {
        Output output;
        delivery.close(to_client, to_backend, output);
        return take(output);
    }
    Line& answered() {
        Output output;
        delivery.answer(output);
        return take(output);
    }
    Line& take(const Output& output) {
        client += output.client;
        backend += output.backend;
        return *this;
    }
    std::string& sent(Side to) { return to == Side::client ? client : backend; }

    OneMaskKey keys;
    HeadersDelivery delivery;
    std::string client;
    std::string backend;
};

void frames_pass_untouched_in_any_pieces(void**) {
    const std::string up =
        client(0x01, "a") + client(0x89, "ping") + client(0x80, std::string(70000, 'b')) + client(0x82, "");
    const std::string down = server(0x82, std::string(126, 'c')) + server(0x8a, "ping") + server(0x81, "d");
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, up.size()}) {
        Line line;
        line.consume(Side::client, up, size).consume(Side::backend, down, size);
        assert_bytes_equal(line.backend, up);
        assert_bytes_equal(line.client, down);
        assert_int_equal(line.delivery.messages(Side::client), 2);
        assert_int_equal(line.delivery.messages(Side::backend), 2);
        assert_true(line.delivery.end().cause == End::Cause::none);
    }
}

void reserved_bits_pass_only_with_extensions(void**) {
    const std::string compressed = client(0xc1, "deflated");
    assert_bytes_equal(Line(true).consume(Side::client, compressed).backend, compressed);
    Line without;
    without.consume(Side::client, compressed);
    assert_bytes_equal(without.backend, client_close(1001));
}

void a_broken_client_is_told_1002_and_the_backend_1001(void**) {
    const struct {
        const char* bytes;
        const char* why;
    } rows[] = {
        {"81 05", "unmasked frame from a client"},
        {"83", "reserved opcode"},
        {"8b", "reserved opcode"},
        {"89 fe", "control frame too long"},
        {"09", "fragmented control frame"},
        {"80", "continuation of nothing"},
    };
    for (const auto& row : rows) {
        Line line;
        line.consume(Side::client, client(0x81, "good") + hex(row.bytes) + "rest");
        assert_bytes_equal(line.backend, client(0x81, "good") + client_close(1001));
        assert_bytes_equal(line.client, "");
        assert_true(line.delivery.puts_off());
        line.consume(Side::backend, server(0x81, "answer") + server_close(1001) + server(0x81, "no"));
        assert_bytes_equal(line.client, server(0x81, "answer") + server_close(1002, row.why));
        assert_false(line.delivery.puts_off());
        assert_true(line.delivery.closing(Side::backend).complete());
        assert_true(line.delivery.end().cause == End::Cause::client);
        assert_int_equal(line.delivery.end().code, 1002);
        assert_true(line.delivery.closing(Side::client).complete());
        // Nothing that it sends afterwards goes anywhere.
        line.consume(Side::client, client(0x81, "good again"));
        assert_bytes_equal(line.backend, client(0x81, "good") + client_close(1001));
    }
}

void a_broken_client_gets_the_backends_last_words_in_any_pieces(void**) {
    const std::string words = server(0x01, std::string(300, 'a')) + server(0x8a, "pong") + server(0x80, "");
    const std::string told = server_close(1002, "reserved opcode");
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
        // The fault comes before, in the middle of, or behind what the backend says.
        for (const std::size_t before : {std::size_t{0}, std::size_t{1}, std::size_t{100}, words.size()}) {
            const auto broken = [&](Line& line) {
                line.consume(Side::backend, words.substr(0, before), size).consume(Side::client, hex("83"));
                line.consume(Side::backend, words.substr(before), size);
                assert_bytes_equal(line.client, words);
            };
            Line closes, leaves, breaks, late;
            broken(closes);
            closes.consume(Side::backend, server_close(1001) + server(0x81, "no"), size);
            assert_bytes_equal(closes.client, words + told);
            assert_true(closes.delivery.closing(Side::backend).complete());
            broken(leaves);
            leaves.ended(Side::backend);
            assert_bytes_equal(leaves.client, words + told);
            broken(breaks);
            breaks.consume(Side::backend, server(0x83, ""), size);
            assert_bytes_equal(breaks.client, words + told);
            broken(late);
            late.consume(Side::backend, server(0x82, "late").substr(0, 1)).answered();
            assert_bytes_equal(late.client, words + server(0x82, "late").substr(0, 1));
            late.consume(Side::backend, server(0x82, "late").substr(1) + server(0x81, "no"));
            assert_bytes_equal(late.client, words + server(0x82, "late") + told);
        }
    }
    Line cut;
    cut.consume(Side::client, hex("83")).consume(Side::backend, hex("81")).consume(Side::backend, hex("85"));
    assert_bytes_equal(cut.client, hex("81"));
    assert_true(cut.delivery.cut(Side::client));
    Line in_a_close_frame;
    const std::string bye = server_close(4000, "bye");
    in_a_close_frame.consume(Side::backend, bye.substr(0, 3)).consume(Side::client, hex("83"));
    in_a_close_frame.consume(Side::backend, bye.substr(3) + server(0x81, "no"));
    assert_bytes_equal(in_a_close_frame.client, bye);
}

void a_broken_backend_is_told_1002_and_the_client_1014(void**) {
    Line line;
    line.consume(Side::backend, server(0x81, "good") + client(0x81, "masked"));
    assert_bytes_equal(line.client, server(0x81, "good") + server_close(1014));
    assert_bytes_equal(line.backend, client_close(1002, "masked frame from a server"));
    assert_true(line.delivery.end().cause == End::Cause::backend);
    assert_true(line.delivery.closing(Side::backend).complete());
    line.consume(Side::client, client_close(1014));
    assert_true(line.delivery.closing(Side::client).complete());
}

void a_header_that_turns_out_broken_after_a_part_of_it_went_on_cuts_the_other_side(void**) {
    Line line;
    line.consume(Side::client, hex("81")).consume(Side::client, hex("05") + "Hello");
    assert_bytes_equal(line.backend, hex("81"));
    assert_true(line.delivery.cut(Side::backend));
    assert_false(line.delivery.closing(Side::backend).sent);
    assert_bytes_equal(line.client, server_close(1002, "unmasked frame from a client"));
}

void a_violation_while_the_other_direction_is_in_a_frame_is_told_after_it(void**) {
    Line line;
    const std::string down = server(0x82, std::string(1000, 'd'));
    line.consume(Side::backend, down.substr(0, 500)).consume(Side::client, hex("83"));
    assert_bytes_equal(line.client, down.substr(0, 500));
    assert_bytes_equal(line.backend, client_close(1001));
    line.consume(Side::backend, down.substr(500) + client_close(1001));
    assert_bytes_equal(line.client, down + server_close(1002, "reserved opcode"));
}

void a_close_frame_under_way_needs_no_second_one(void**) {
    Line line;
    const std::string bye = server_close(4000, "bye");
    line.consume(Side::backend, bye.substr(0, 3)).close({1012, "restart"}, {1001, "restart"});
    line.consume(Side::backend, bye.substr(3));
    assert_bytes_equal(line.client, bye);
    assert_true(line.delivery.closing(Side::backend).complete());
    assert_true(line.delivery.closing(Side::client).sent);
}

void a_header_under_way_that_turns_out_broken_after_a_close_cuts(void**) {
    Line line;
    line.consume(Side::client, hex("81")).close({1012, ""}, {1001, ""});
    line.consume(Side::client, hex("05") + "Hello");
    assert_bytes_equal(line.backend, hex("81"));
    assert_true(line.delivery.cut(Side::backend));
    assert_true(line.delivery.closing(Side::client).complete());
}

void a_close_before_a_frame_ends_is_put_in_once(void**) {
    const std::string up = client(0x82, std::string(300, 'u'));
    for (std::size_t cut = 1; cut < up.size(); ++cut) {
        Line line;
        line.consume(Side::client, up.substr(0, cut)).close({1012, ""}, {1001, ""}).close({1001, ""}, {1001, ""});
        line.consume(Side::client, up.substr(cut) + client(0x81, "more")).consume(Side::client, client(0x81, "more"));
        assert_bytes_equal(line.backend, up + client_close(1001));
        assert_bytes_equal(line.client, server_close(1012));
    }
}

void a_close_without_a_code_passes_as_it_is(void**) {
    Line line;
    line.consume(Side::client, client(0x88, "")).consume(Side::backend, server(0x88, ""));
    assert_bytes_equal(line.backend, client(0x88, ""));
    assert_bytes_equal(line.client, server(0x88, ""));
    assert_true(line.delivery.closing(Side::client).complete());
    assert_true(line.delivery.closing(Side::backend).complete());
    assert_int_equal(line.delivery.end().code, 1005);
}

void an_end_in_a_frame_cuts_and_between_frames_does_not(void**) {
    Line client_left;
    client_left.consume(Side::client, client(0x81, "a")).ended(Side::client);
    assert_false(client_left.delivery.cut(Side::backend));
    Line client_cut;
    client_cut.consume(Side::client, client(0x81, "a").substr(0, 1)).ended(Side::client);
    assert_true(client_cut.delivery.cut(Side::backend));
    Line backend_left;
    backend_left.consume(Side::backend, server(0x81, "a")).ended(Side::backend);
    assert_bytes_equal(backend_left.client, server(0x81, "a") + server_close(1014, "backend gone"));
    Line backend_cut;
    backend_cut.consume(Side::backend, server(0x81, "a").substr(0, 2)).ended(Side::backend);
    assert_true(backend_cut.delivery.cut(Side::client));
    assert_bytes_equal(backend_cut.client, server(0x81, "a").substr(0, 2));
    // Between two fragments a close frame may stand (RFC 6455 5.4).
    Line between;
    between.consume(Side::backend, server(0x01, "a")).ended(Side::backend);
    assert_bytes_equal(between.client, server(0x01, "a") + server_close(1014, "backend gone"));
}

void what_comes_after_the_end_is_neither_passed_on_nor_counted(void**) {
    Line line;
    line.consume(Side::client, client(0x81, "before") + client(0x01, "half of a "));
    line.consume(Side::backend, server(0x82, "before"));
    line.close({1012, ""}, {1001, ""});
    line.consume(Side::client, client(0x80, "message") + client(0x81, "after") + client_close(1012));
    line.consume(Side::backend, server(0x81, "after") + server(0x82, "after") + server_close(1001));
    assert_bytes_equal(line.backend, client(0x81, "before") + client(0x01, "half of a ") + client_close(1001));
    assert_bytes_equal(line.client, server(0x82, "before") + server_close(1012));
    assert_int_equal(line.delivery.messages(Side::client), 1);
    assert_int_equal(line.delivery.messages(Side::backend), 1);
    assert_true(line.delivery.closing(Side::client).complete());
    assert_true(line.delivery.closing(Side::backend).complete());
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(frames_pass_untouched_in_any_pieces),
        cmocka_unit_test(reserved_bits_pass_only_with_extensions),
        cmocka_unit_test(a_broken_client_is_told_1002_and_the_backend_1001),
        cmocka_unit_test(a_broken_client_gets_the_backends_last_words_in_any_pieces),
        cmocka_unit_test(a_broken_backend_is_told_1002_and_the_client_1014),
        cmocka_unit_test(a_header_that_turns_out_broken_after_a_part_of_it_went_on_cuts_the_other_side),
        cmocka_unit_test(a_violation_while_the_other_direction_is_in_a_frame_is_told_after_it),
        cmocka_unit_test(a_close_frame_under_way_needs_no_second_one),
        cmocka_unit_test(a_header_under_way_that_turns_out_broken_after_a_close_cuts),
        cmocka_unit_test(a_close_before_a_frame_ends_is_put_in_once),
        cmocka_unit_test(a_close_without_a_code_passes_as_it_is),
        cmocka_unit_test(what_comes_after_the_end_is_neither_passed_on_nor_counted),
        cmocka_unit_test(an_end_in_a_frame_cuts_and_between_frames_does_not),
    };
    return cmocka_run_group_tests_name("headers delivery", tests, nullptr, nullptr);
}
