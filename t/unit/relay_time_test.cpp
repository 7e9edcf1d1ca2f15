// The relay between two scripted peers: timeouts, rates, pings.
#include "relay_wired.hpp"

#include <string>

using namespace wired_relay;
using ws::test::assert_bytes_equal;
namespace close_code = ws::websocket::close_code;

namespace {

std::string ping_payload() {
    const std::string key(wire::key.begin(), wire::key.end());
    return key + key;
}

void the_idle_timeout_closes_both_sides(void** state) {
    Wired& w = wired(state);
    assert_state(w.later(600), State::open);
    (void)w.from_backend(server(0x89, ""));  // a byte of either side counts
    assert_state(w.later(999), State::open);
    assert_bytes_equal(w.backend.got, "");
    assert_state(w.later(1), State::open);
    assert_bytes_equal(w.client.got, server(0x89, "") + server_close(1001, "idle timeout"));
    assert_bytes_equal(w.backend.got, client_close(1001, "idle timeout"));
    assert_end(w, End::Cause::gateway, 1001);
}

void a_slow_reader_of_a_long_message_is_not_idle(void** state) {
    Wired& w = wired(state);
    w.client.room = 1;
    const std::string text = server(0x81, "takes its time");
    (void)w.from_backend(text);
    for (std::size_t n = 1; n < text.size(); ++n) {
        assert_state(w.later(250), State::open);
        w.client.room = 1;
        assert_state(w.relay.writable(Side::client, w.now), State::open);
    }
    assert_bytes_equal(w.client.got, text);
    assert_state(w.later(999), State::open);
    assert_true(w.relay.delivery().end().cause == End::Cause::none);
    (void)w.later(1);
    assert_end(w, End::Cause::gateway, 1001);
}

void a_reader_that_takes_nothing_is_closed_after_its_send_timeout(void** state) {
    for (const Side side : {Side::client, Side::backend}) {
        teardown(state);
        setup(state);
        Wired& w = wired(state);
        const int limit = side == Side::client ? 300 : 400;
        ScriptedPeer& slow = side == Side::client ? w.client : w.backend;
        slow.room = 2;
        (void)(side == Side::client ? w.from_backend(server(0x81, "text")) : w.from_client(client(0x81, "text")));
        assert_int_equal(w.relay.deadline()->count(), w.now.count() + limit);
        assert_state(w.later(limit - 1), State::open);
        slow.room = 1;  // one byte is a sign of life
        assert_state(w.relay.writable(side, w.now), State::open);
        assert_state(w.later(limit - 1), State::open);
        assert_state(w.later(1), State::open);
        assert_end(w, End::Cause::gateway, 1013);
        if (side == Side::client) {
            assert_bytes_equal(w.backend.got, client_close(1001, "client reads too slowly"));
        } else {
            assert_bytes_equal(w.client.got, server_close(1013, "backend reads too slowly"));
        }
        assert_int_equal(w.relay.deadline()->count(), w.now.count() + 100);
        assert_state(w.later(100), State::done);
    }
}

void a_slow_reader_that_wakes_up_gets_what_waited_and_is_told(void** state) {
    Wired& w = wired(state);
    w.client.room = 2;
    (void)w.from_backend(server(0x81, "text"));
    (void)w.later(300);
    w.client.room = unlimited;
    (void)w.relay.writable(Side::client, w.now);
    assert_bytes_equal(w.client.got, server(0x81, "text") + server_close(1013, "client reads too slowly"));
}

void a_connection_is_closed_at_its_age_however_busy(void**) {
    Wired w({.timeouts = {.close = Milliseconds(100), .age = Milliseconds(1000)}});
    (void)w.start();
    assert_int_equal(w.relay.deadline()->count(), w.now.count() + 1000);
    assert_state(w.later(999), State::open);
    (void)w.from_client(client(0x81, "busy"));
    assert_state(w.later(1), State::open);
    assert_bytes_equal(w.client.got, server_close(1001, "connection too old"));
    assert_bytes_equal(w.backend.got, client(0x81, "busy") + client_close(1001, "connection too old"));
}

void too_many_messages_close_before_the_first_that_is_too_many(void**) {
    Wired w({.timeouts = {.close = Milliseconds(100)}, .limits = {.messages = {60, 2}}});
    (void)w.start();
    const std::string three = client(0x81, "1") + client(0x81, "2") + client(0x81, "3");
    assert_state(w.from_client(three + client(0x89, "") + client(0x81, "4")), State::open);
    assert_bytes_equal(w.backend.got, client(0x81, "1") + client(0x81, "2") + client_close(1001, "too many messages"));
    assert_bytes_equal(w.client.got, server_close(1008, "too many messages"));
    assert_int_equal(static_cast<int>(w.relay.delivery().end().cause), static_cast<int>(End::Cause::client));
    // What it sends until it answers goes nowhere.
    (void)w.from_client(client(0x81, "5"));
    (void)w.from_client(client_close(1008));
    w.backend.arriving.push_back(server_close(1001));
    assert_state(w.readable(Side::backend), State::done);
}

void a_fragmented_message_is_one(void**) {
    Wired w({.timeouts = {.close = Milliseconds(100)}, .limits = {.messages = {60, 2}}});
    (void)w.start();
    const std::string fragments = client(0x01, "a") + client(0x00, "b") + client(0x89, "") + client(0x80, "c");
    assert_state(w.from_client(fragments + fragments), State::open);
    assert_bytes_equal(w.backend.got, fragments + fragments);
}

void a_delayed_client_is_not_read_until_its_time_has_come(void**) {
    Wired w({.timeouts = {.close = Milliseconds(100)}, .limits = {.messages = {600, 2}, .delay_messages = true}});
    (void)w.start();
    std::string all;
    for (char c = 'a'; c < 'f'; ++c) { all += client(0x81, std::string(1, c)); }
    const std::size_t one = all.size() / 5;
    assert_state(w.from_client(all), State::open);
    assert_bytes_equal(w.backend.got, all.substr(0, 2 * one));
    (void)w.from_client(client(0x8a, ""));  // not even this is read
    assert_bytes_equal(w.backend.got, all.substr(0, 2 * one));
    for (std::size_t n = 3; n <= 5; ++n) {
        assert_int_equal(w.relay.deadline()->count(), w.now.count() + 100);
        assert_state(w.later(99), State::open);
        assert_bytes_equal(w.backend.got, all.substr(0, (n - 1) * one));
        (void)w.later(1);
        assert_bytes_equal(w.backend.got.substr(0, n * one), all.substr(0, n * one));
    }
    assert_bytes_equal(w.backend.got, all + client(0x8a, ""));
}

void a_delayed_client_is_read_at_the_end_of_the_connection(void**) {
    Wired w({.timeouts = {.close = Milliseconds(100)}, .limits = {.messages = {1, 1}, .delay_messages = true}});
    (void)w.start();
    (void)w.from_client(client(0x81, "a") + client(0x81, "b"));
    assert_state(w.relay.close({1012, ""}, {1001, ""}, w.now), State::busy);
    (void)w.from_client(client_close(1012));
    w.backend.arriving.push_back(server_close(1001));
    assert_state(w.readable(Side::backend), State::done);
    assert_bytes_equal(w.backend.got, client(0x81, "a") + client_close(1001));
}

void too_many_control_frames_close(void**) {
    Wired w({.timeouts = {.close = Milliseconds(100)}, .limits = {.controls = {60, 3}}});
    (void)w.start();
    std::string pings;
    for (int n = 0; n < 10; ++n) { pings += client(0x89, "p"); }
    (void)w.from_client(client(0x81, "text") + pings);
    assert_bytes_equal(w.backend.got, client(0x81, "text") + pings.substr(0, 3 * client(0x89, "p").size()) +
                                          client_close(1001, "too many control frames"));
    assert_bytes_equal(w.client.got, server_close(1008, "too many control frames"));
}

void limits_hold_however_the_bytes_arrive(void**) {
    Wired w({.timeouts = {.close = Milliseconds(100)}, .limits = {.messages = {60, 2}, .controls = {60, 1}}});
    (void)w.start();
    const std::string good = client(0x81, "1") + client(0x89, "") + client(0x82, std::string(70000, 'x'));
    for (const char byte : good + client(0x81, "3")) { (void)w.from_client(std::string(1, byte)); }
    assert_bytes_equal(w.backend.got, good + client_close(1001, "too many messages"));
}

void a_client_that_is_not_read_is_not_taken_for_gone(void**) {
    Wired w({.timeouts = {.close = Milliseconds(100),
                          .ping = Milliseconds(100),
                          .pong = Milliseconds(50),
                          .client_send = Milliseconds(60'000),
                          .backend_send = Milliseconds(60'000)}});
    (void)w.start();
    assert_state(w.later(100), State::open);
    assert_bytes_equal(w.client.got, server(0x89, ping_payload()));
    w.backend.room = 0;
    assert_state(w.from_client(client(0x81, "waits for the backend")), State::open);
    w.client.arriving.push_back(client(0x8a, ping_payload()) + client(0x81, "so does this"));
    for (int n = 0; n < 20; ++n) { assert_state(w.later(50), State::open); }
    w.backend.room = unlimited;
    assert_state(w.relay.writable(Side::backend, w.now), State::open);
    assert_bytes_equal(w.backend.got, client(0x81, "waits for the backend") + client(0x81, "so does this"));
    // From here on it counts again.
    w.client.got.clear();
    assert_state(w.later(100), State::open);
    assert_bytes_equal(w.client.got, server(0x89, ping_payload()));
    (void)w.later(50);
    assert_int_equal(w.relay.delivery().end().cause == End::Cause::client, 1);
}

void a_pong_in_two_pieces_around_a_close_of_the_gateway_hides_no_close_frame(void**) {
    const std::string pong = client(0x8a, ping_payload());
    for (std::size_t cut = 1; cut < pong.size(); ++cut) {
        Wired one({.timeouts = {.close = Milliseconds(100), .ping = Milliseconds(100), .pong = Milliseconds(50)}});
        (void)one.start();
        (void)one.later(100);
        (void)one.from_client(pong.substr(0, cut));
        (void)one.relay.close({4401, ""}, {close_code::going_away, ""}, one.now);
        assert_state(one.from_client(pong.substr(cut) + client_close(4401)), State::open);
        one.backend.arriving.push_back(server_close(1001));
        assert_state(one.readable(Side::backend), State::done);
    }
}

void a_quiet_connection_gives_memory_back_where_it_holds_some(void**) {
    for (const bool compression : {false, true}) {
        Wired w({.delivery = compression ? Wiring::envelope_compressed : Wiring::envelope,
                 .timeouts = {.close = Milliseconds(100), .ping = Milliseconds(3000), .pong = Milliseconds(5000)}});
        (void)w.start();
        for (int seconds = 0; seconds < 60; ++seconds) {
            assert_state(w.later(1000), State::open);
            if (seconds % 3 == 2) { assert_state(w.from_client(client(0x8a, "")), State::open); }
        }
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        TEST(the_idle_timeout_closes_both_sides),
        TEST(a_slow_reader_of_a_long_message_is_not_idle),
        TEST(a_reader_that_takes_nothing_is_closed_after_its_send_timeout),
        TEST(a_slow_reader_that_wakes_up_gets_what_waited_and_is_told),
        cmocka_unit_test(a_connection_is_closed_at_its_age_however_busy),
        cmocka_unit_test(too_many_messages_close_before_the_first_that_is_too_many),
        cmocka_unit_test(a_fragmented_message_is_one),
        cmocka_unit_test(a_delayed_client_is_not_read_until_its_time_has_come),
        cmocka_unit_test(a_delayed_client_is_read_at_the_end_of_the_connection),
        cmocka_unit_test(too_many_control_frames_close),
        cmocka_unit_test(limits_hold_however_the_bytes_arrive),
        cmocka_unit_test(a_client_that_is_not_read_is_not_taken_for_gone),
        cmocka_unit_test(a_pong_in_two_pieces_around_a_close_of_the_gateway_hides_no_close_frame),
        cmocka_unit_test(a_quiet_connection_gives_memory_back_where_it_holds_some),
    };
    return cmocka_run_group_tests_name("relay: time", tests, nullptr, nullptr);
}
