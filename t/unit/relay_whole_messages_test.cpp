// What nearly all events of a connection in headers delivery are: whole messages come, and leave as they are. The relay has a short way for
// them; here is where that ends, and that nothing is different on it.
#include "relay_wired.hpp"

#include <string>
#include <vector>

using namespace wired_relay;
using ws::test::assert_bytes_equal;
namespace close_code = ws::websocket::close_code;

namespace {

const std::string hello = client(0x81, "hello");
const std::string answer = server(0x82, "answer");

void assert_messages(const Wired& w, int from_client, int from_backend,
                     std::source_location where = std::source_location::current()) {
    const Delivery& delivery = w.relay.delivery();
    if (delivery.messages(Side::client) != static_cast<std::uint64_t>(from_client) ||
        delivery.messages(Side::backend) != static_cast<std::uint64_t>(from_backend)) {
        _fail(where.file_name(), static_cast<int>(where.line()));
    }
}

void whole_messages_pass_with_one_read_and_are_counted(void** state) {
    Wired& w = wired(state);
    const std::string several = hello + client(0x82, std::string(1000, 'x')) + client(0x81, "");
    w.client.reads = w.backend.reads = 0;
    assert_state(w.from_client(several), State::open);
    assert_state(w.from_backend(answer + answer), State::open);
    assert_int_equal(w.steady, 2);
    assert_int_equal(w.client.reads, 1);
    assert_int_equal(w.backend.reads, 1);
    assert_bytes_equal(w.backend.got, several);
    assert_bytes_equal(w.client.got, answer + answer);
    assert_messages(w, 3, 2);
    assert_int_equal(w.relay.tally().client_received, several.size());
    assert_int_equal(w.relay.tally().client_sent, 2 * answer.size());
}

void they_put_off_the_idle_timeout(void** state) {
    Wired& w = wired(state);
    (void)w.later(999);
    (void)w.from_client(hello);
    assert_int_equal(w.steady, 1);
    assert_int_equal(w.relay.deadline()->count(), w.now.count() + 1000);
    assert_state(w.later(999), State::open);
    (void)w.from_backend(answer);
    assert_state(w.later(999), State::open);
    assert_bytes_equal(w.client.got, answer);
    (void)w.later(1);
    assert_end(w, End::Cause::gateway, 1001);
}

// In any two pieces, with and without extensions, the same passes, and the same is counted.
void a_stream_is_passed_on_the_same_wherever_it_is_cut(void**) {
    for (const unsigned compressed : {0u, 0x40u}) {
        const std::string stream = client(0x81 | compressed, "one") + client(0x01 | compressed, "begins") +
                                   client(0x89, "ping") + client(0x80, "ends") + client(0x82, std::string(200, 't')) +
                                   client(0x82, "") + client(0x81, "four");
        for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
            Wired w({.delivery = compressed != 0 ? Wiring::headers_with_extensions : Wiring::headers,
                     .limits = {.messages = {60, 10}, .controls = {60, 2}}});
            (void)w.start();
            for (const std::string& piece : {stream.substr(0, cut), stream.substr(cut), stream, client(0x89, "many")}) {
                if (!piece.empty()) { assert_state(w.from_client(piece), State::open); }
            }
            assert_messages(w, 10, 0);
            assert_bytes_equal(w.backend.got, stream + stream + client_close(1001, "too many control frames"));
        }
    }
}

void what_the_backend_does_not_take_waits_and_stops_the_client(void** state) {
    for (std::size_t room = 0; room < hello.size(); ++room) {
        teardown(state);
        setup(state);
        Wired& w = wired(state);
        w.backend.room = room;
        assert_state(w.from_client(hello), State::open);
        assert_int_equal(w.steady, 0);
        assert_int_equal(w.relay.deadline()->count(), w.now.count() + 400);
        assert_false(w.relay.at_rest());
        (void)w.from_client(hello);
        assert_int_equal(w.client.arriving.size(), 1);
        assert_state(w.from_backend(answer), State::open);  // which is heard all the same
        assert_bytes_equal(w.client.got, answer);
        assert_int_equal(w.steady, 0);
        w.backend.room = unlimited;
        assert_state(w.relay.writable(Side::backend, w.now), State::open);
        assert_bytes_equal(w.backend.got, hello + hello);
        assert_messages(w, 2, 1);
        (void)w.from_client(hello);
        assert_int_equal(w.steady, 1);
    }
}

void an_end_behind_them_is_seen_in_the_same_step(void** state) {
    Wired& w = wired(state);
    w.backend.arriving.push_back(answer);
    assert_state(w.backend_ends(), State::open);
    assert_bytes_equal(w.client.got, answer + server_close(1014, "backend gone"));
    (void)w.from_client(hello);  // a backend that says nothing more may still listen
    assert_bytes_equal(w.backend.got, hello);
    assert_int_equal(w.steady, 0);
    assert_messages(w, 1, 1);
}

void a_close_frame_behind_them_ends_the_connection(void** state) {
    Wired& w = wired(state);
    assert_state(w.from_client(hello + client_close(1000) + hello), State::open);
    assert_bytes_equal(w.backend.got, hello + client_close(1000));
    assert_state(w.from_backend(answer), State::open);
    assert_int_equal(w.steady, 0);
    assert_state(w.from_backend(server_close(1000) + answer), State::done);
    assert_bytes_equal(w.client.got, answer + server_close(1000));
    assert_messages(w, 1, 1);
}

void after_the_gateways_close_they_go_nowhere(void** state) {
    Wired& w = wired(state);
    (void)w.from_client(hello);
    assert_int_equal(w.steady, 1);
    (void)w.relay.close({1012, ""}, {1001, ""}, w.now);
    (void)w.from_client(hello);
    (void)w.from_backend(answer);
    assert_int_equal(w.steady, 1);
    assert_bytes_equal(w.backend.got, hello + client_close(1001));
    assert_bytes_equal(w.client.got, server_close(1012));
    assert_messages(w, 1, 0);
}

void a_broken_frame_behind_them_is_told(void** state) {
    Wired& w = wired(state);
    (void)w.from_client(hello + server(0x81, "no mask"));
    assert_bytes_equal(w.backend.got, hello + client_close(1001));
    assert_end(w, End::Cause::client, 1002);
    assert_messages(w, 1, 0);
}

void a_backend_that_breaks_when_they_are_sent_does_not_hear_more(void** state) {
    Wired& w = wired(state);
    w.backend.broken = true;
    assert_state(w.from_client(hello), State::open);
    assert_int_equal(w.steady, 0);
    assert_state(w.from_client(hello), State::open);
    assert_bytes_equal(w.backend.got, "");
    assert_state(w.backend_ends(ScriptedPeer::Then::error), State::open);
    assert_bytes_equal(w.client.got, server_close(1014, "backend gone"));
}

void a_rate_is_exact_however_many_come_at_once(void**) {
    for (const bool delay : {false, true}) {
        Wired w({.limits = {.messages = {600, 3}, .delay_messages = delay}});
        (void)w.start();
        (void)w.from_client(hello + hello);
        assert_int_equal(w.steady, 1);
        const State state = w.from_client(hello + hello);
        assert_int_equal(w.steady, 1);
        assert_state(state, State::open);
        if (!delay) {
            assert_bytes_equal(w.backend.got, hello + hello + hello + client_close(1001, "too many messages"));
            continue;
        }
        assert_bytes_equal(w.backend.got, hello + hello + hello);
        (void)w.from_client(hello);
        assert_int_equal(w.client.arriving.size(), 1);
        (void)w.later(100);
        assert_bytes_equal(w.backend.got, hello + hello + hello + hello);
        (void)w.later(100);
        assert_bytes_equal(w.backend.got, hello + hello + hello + hello + hello);
        assert_messages(w, 5, 0);
        (void)w.later(100);
        (void)w.from_client(hello);
        assert_int_equal(w.steady, 2);
    }
}

void a_pong_of_the_client_is_still_taken_out_of_them(void**) {
    Wired w({.timeouts = {.close = Milliseconds(100), .ping = Milliseconds(100), .pong = Milliseconds(500)}});
    (void)w.start();
    (void)w.later(100);
    const std::string ping = server(0x89, std::string(8, '\0'));
    assert_int_equal(w.client.got.size(), ping.size());
    const std::string payload = w.client.got.substr(2);
    (void)w.from_client(hello);  // a sign of life: the next ping is due before its pong would have been
    assert_int_equal(w.steady, 0);
    assert_int_equal(w.relay.deadline()->count(), w.now.count() + 100);
    (void)w.from_client(hello + client(0x8a, payload) + hello);
    assert_bytes_equal(w.backend.got, hello + hello + hello);
    assert_messages(w, 3, 0);
    assert_int_equal(w.steady, 1);
    (void)w.from_client(hello);
    assert_int_equal(w.steady, 2);
    (void)w.later(99);
    assert_int_equal(w.relay.tally().pings, 1);
    (void)w.later(1);
    assert_int_equal(w.relay.tally().pings, 2);
}

void a_busy_side_is_left_for_the_others_in_between(void** state) {
    Wired& w = wired(state);
    for (int i = 0; i < 40; ++i) { w.backend.arriving.push_back(answer); }
    assert_state(w.readable(Side::backend), State::busy);
    assert_false(w.backend.arriving.empty());
    while (w.readable(Side::backend) == State::busy) {}
    assert_int_equal(w.client.got.size(), 40 * answer.size());
    assert_messages(w, 0, 40);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        TEST(whole_messages_pass_with_one_read_and_are_counted),
        TEST(they_put_off_the_idle_timeout),
        cmocka_unit_test(a_stream_is_passed_on_the_same_wherever_it_is_cut),
        TEST(what_the_backend_does_not_take_waits_and_stops_the_client),
        TEST(an_end_behind_them_is_seen_in_the_same_step),
        TEST(a_close_frame_behind_them_ends_the_connection),
        TEST(after_the_gateways_close_they_go_nowhere),
        TEST(a_broken_frame_behind_them_is_told),
        TEST(a_backend_that_breaks_when_they_are_sent_does_not_hear_more),
        cmocka_unit_test(a_rate_is_exact_however_many_come_at_once),
        cmocka_unit_test(a_pong_of_the_client_is_still_taken_out_of_them),
        TEST(a_busy_side_is_left_for_the_others_in_between),
    };
    return cmocka_run_group_tests_name("relay: whole messages", tests, nullptr, nullptr);
}
