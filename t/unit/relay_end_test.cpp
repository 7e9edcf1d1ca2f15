// The relay between two scripted peers: how it ends.
#include "relay_wired.hpp"

#include <string>

using namespace wired_relay;
using ws::test::assert_bytes_equal;

namespace {

void a_close_of_the_client_and_its_answer_end_the_connection(void** state) {
    Wired& w = wired(state);
    assert_state(w.from_client(client_close(4001, "bye")), State::open);
    assert_bytes_equal(w.backend.got, client_close(4001, "bye"));
    // The backend may still say something before it answers.
    assert_state(w.from_backend(server(0x81, "last")), State::open);
    assert_state(w.from_backend(server_close(4001)), State::done);
    assert_bytes_equal(w.client.got, server(0x81, "last") + server_close(4001));
    assert_end(w, End::Cause::client, 4001);
}

void a_close_frame_that_ends_all_leaves_with_the_end_of_the_stream(void** state) {
    Wired& w = wired(state);
    (void)w.from_client(client_close(1000));
    (void)w.from_backend(server(0x81, "last"));
    assert_int_equal(w.client.held, 0);
    w.backend.reads = 0;
    assert_state(w.from_backend(server_close(1000)), State::done);
    assert_int_equal(w.backend.reads, 1);  // nothing more can come
    assert_int_equal(w.client.held, 1);
    assert_bytes_equal(w.client.got_before_hold, server(0x81, "last"));
    assert_int_equal(w.client.half_closed, 1);
    assert_int_equal(w.backend.held, 0);
}

void nothing_is_held_back_while_something_waits(void** state) {
    Wired& w = wired(state);
    w.client.room = 0;
    (void)w.from_client(client_close(1000));
    (void)w.from_backend(server(0x81, "waits"));
    assert_state(w.from_backend(server_close(1000)), State::open);
    assert_int_equal(w.client.held, 0);
    w.client.room = unlimited;
    assert_state(w.relay.writable(Side::client, w.now), State::done);
    assert_bytes_equal(w.client.got, server(0x81, "waits") + server_close(1000));
}

void what_follows_a_close_frame_goes_nowhere(void** state) {
    Wired& w = wired(state);
    (void)w.from_client(client_close(1000) + "GET /forbidden HTTP/1.1\r\n\r\n");
    (void)w.from_client("more");
    assert_bytes_equal(w.backend.got, client_close(1000));
    (void)w.from_backend(server_close(1000) + server(0x81, "late"));
    assert_bytes_equal(w.client.got, server_close(1000));
}

void an_unanswered_close_ends_after_the_close_timeout(void** state) {
    Wired& w = wired(state);
    (void)w.from_backend(server_close(1000));
    assert_int_equal(w.relay.deadline()->count(), w.now.count() + 100);
    assert_state(w.later(99), State::open);
    (void)w.from_client(client(0x81, "not an answer"));  // does not move the deadline
    assert_state(w.later(1), State::done);
}

void the_gateway_closes_both_sides_and_drops_what_comes_before_the_answers(void** state) {
    Wired& w = wired(state);
    assert_state(w.relay.close({1012, "server restart"}, {1001, "server restart"}, w.now), State::open);
    assert_bytes_equal(w.client.got, server_close(1012, "server restart"));
    assert_bytes_equal(w.backend.got, client_close(1001, "server restart"));
    (void)w.from_client(client(0x81, "crossing"));
    (void)w.from_backend(server(0x81, "crossing"));
    assert_state(w.from_client(client_close(1012)), State::open);
    assert_int_equal(w.client.half_closed, 1);
    assert_state(w.from_backend(server_close(1001)), State::done);
    assert_bytes_equal(w.client.got, server_close(1012, "server restart"));
    assert_bytes_equal(w.backend.got, client_close(1001, "server restart"));
    assert_end(w, End::Cause::gateway, 1012);
}

void a_close_of_the_gateway_waits_for_the_end_of_a_frame(void** state) {
    Wired& w = wired(state);
    const std::string up = client(0x82, std::string(50, 'u'));
    const std::string down = server(0x82, std::string(50, 'd'));
    (void)w.from_client(up.substr(0, 20));
    (void)w.from_backend(down.substr(0, 20));
    (void)w.relay.close({1012, "r"}, {1001, "r"}, w.now);
    assert_bytes_equal(w.client.got, down.substr(0, 20));
    (void)w.from_client(up.substr(20) + client(0x81, "next"));
    (void)w.from_backend(down.substr(20) + server(0x81, "next"));
    assert_bytes_equal(w.backend.got, up + client_close(1001, "r"));
    assert_bytes_equal(w.client.got, down + server_close(1012, "r"));
}

void a_close_of_the_gateway_in_frames_that_never_end_cuts_after_the_close_timeout(void** state) {
    Wired& w = wired(state);
    (void)w.from_client(client(0x82, "half").substr(0, 7));
    (void)w.from_backend(server(0x82, "half").substr(0, 3));
    assert_state(w.relay.close({1012, ""}, {1001, ""}, w.now), State::open);
    assert_state(w.later(100), State::done);
}

void an_idle_timeout_in_the_middle_of_two_frames_ends_after_the_close_timeout(void** state) {
    Wired& w = wired(state);
    (void)w.from_client(client(0x82, "half").substr(0, 7));
    (void)w.from_backend(server(0x82, "half").substr(0, 3));
    assert_state(w.later(1000), State::open);
    assert_int_equal(w.relay.deadline()->count(), w.now.count() + 100);
    assert_state(w.later(100), State::done);
}

void a_backend_that_leaves_is_told_to_the_client(void** state) {
    for (const auto how : {ScriptedPeer::Then::end, ScriptedPeer::Then::error}) {
        teardown(state);
        setup(state);
        Wired& w = wired(state);
        assert_state(w.backend_ends(how), State::open);
        assert_bytes_equal(w.client.got, server_close(1014, "backend gone"));
        assert_state(w.from_client(client_close(1014)), State::done);
        assert_end(w, End::Cause::backend, 1014);
    }
}

void a_backend_that_leaves_in_a_frame_cuts_the_client(void** state) {
    Wired& w = wired(state);
    const std::string half = server(0x82, "half").substr(0, 4);
    (void)w.from_backend(half);
    assert_state(w.backend_ends(), State::done);
    assert_bytes_equal(w.client.got, half);
    assert_int_equal(w.client.half_closed, 1);
}

void a_half_closed_client_gets_its_answers(void** state) {
    Wired& w = wired(state);
    w.client.arriving.push_back(client(0x81, "question"));
    assert_state(w.client_ends(), State::open);
    assert_bytes_equal(w.backend.got, client(0x81, "question"));
    assert_int_equal(w.backend.half_closed, 1);
    assert_state(w.from_backend(server(0x81, "answer")), State::open);
    assert_state(w.backend_ends(), State::done);
    assert_bytes_equal(w.client.got, server(0x81, "answer") + server_close(1014, "backend gone"));
    assert_int_equal(w.backend.half_closed, 1);
    assert_end(w, End::Cause::client, 1006);
}

void a_half_closed_client_gets_its_answers_where_the_backend_can_not_be_half_closed(void** state) {
    Wired& w = wired(state);
    w.backend.can_half_close = false;
    w.client.arriving.push_back(client(0x81, "question"));
    assert_state(w.client_ends(), State::open);
    assert_bytes_equal(w.backend.got, client(0x81, "question") + client_close(1001));
    assert_state(w.from_backend(server(0x81, "answer")), State::open);
    assert_state(w.from_backend(server_close(1001)), State::done);
    assert_bytes_equal(w.client.got, server(0x81, "answer") + server_close(1001));
}

void a_client_that_leaves_in_a_frame_cuts_the_backend(void** state) {
    Wired& w = wired(state);
    const std::string half = client(0x82, "half").substr(0, 8);
    (void)w.from_client(half);
    assert_state(w.client_ends(ScriptedPeer::Then::error), State::open);
    assert_bytes_equal(w.backend.got, half);
    assert_int_equal(w.backend.half_closed, 1);
    assert_state(w.backend_ends(), State::done);
}

void a_client_that_leaves_in_a_frame_ends_at_once_where_the_backend_can_not_be_half_closed(void** state) {
    Wired& w = wired(state);
    w.backend.can_half_close = false;
    (void)w.from_client(client(0x82, "half").substr(0, 8));
    assert_state(w.client_ends(), State::done);
}

void a_client_that_breaks_a_header_is_told_after_the_frame_of_a_backend_that_can_not_be_half_closed(void** state) {
    Wired& w = wired(state);
    w.backend.can_half_close = false;
    const std::string frame = server(0x82, "half and half");
    (void)w.from_backend(frame.substr(0, 6));
    (void)w.from_client("\x81");
    assert_state(w.from_client(std::string("\x05") + "no mask"), State::open);
    assert_bytes_equal(w.client.got, frame.substr(0, 6));
    assert_state(w.from_backend(frame.substr(6)), State::done);
    assert_bytes_equal(w.client.got, frame + server_close(1002, "unmasked frame from a client"));
    assert_bytes_equal(w.backend.got, "\x81");
}

void a_client_whose_connection_is_broken_does_not_stop_the_backend_from_hearing_all(void** state) {
    Wired& w = wired(state);
    w.backend.room = 4;
    const std::string text = client(0x81, "last words");
    w.client.arriving.push_back(text);
    (void)w.client_ends(ScriptedPeer::Then::error);
    assert_int_equal(w.backend.half_closed, 0);
    w.backend.room = unlimited;
    assert_state(w.relay.writable(Side::backend, w.now), State::open);
    assert_bytes_equal(w.backend.got, text);
    assert_int_equal(w.backend.half_closed, 1);
    // What the backend sends is read and dropped.
    w.client.broken = true;
    assert_state(w.from_backend(server(0x81, "answer")), State::open);
    assert_state(w.backend_ends(), State::done);
    assert_bytes_equal(w.client.got, "");
}

void what_waits_for_a_slow_client_is_sent_before_the_end(void** state) {
    Wired& w = wired(state);
    w.client.room = 3;
    const std::string all = server(0x81, "a long farewell") + server_close(1000);
    w.backend.arriving.push_back(all);
    assert_state(w.backend_ends(), State::open);
    assert_state(w.from_client(client_close(1000)), State::open);
    w.client.room = unlimited;
    assert_state(w.relay.writable(Side::client, w.now), State::done);
    assert_bytes_equal(w.client.got, all);
}

void a_client_that_closes_gets_what_the_backend_says_before_its_own_close(void**) {
    Wired w({.delivery = Wiring::envelope, .timeouts = {.close = Milliseconds(100)}});
    (void)w.start();
    assert_state(w.from_client(client_close(4001)), State::open);
    assert_bytes_equal(w.client.got, "");
    assert_state(w.from_backend(server(0x81, "last")), State::open);
    assert_bytes_equal(w.client.got, server(0x81, "last"));
    assert_state(w.from_backend(server_close(4002)), State::done);
    assert_bytes_equal(w.client.got, server(0x81, "last") + server_close(4001));
}

void a_client_that_closes_is_answered_after_half_of_the_close_timeout(void**) {
    Wired w({.delivery = Wiring::envelope, .timeouts = {.close = Milliseconds(100)}});
    (void)w.start();
    assert_state(w.from_client(client_close(4001)), State::open);
    assert_int_equal(w.relay.deadline()->count(), w.now.count() + 50);
    assert_state(w.later(49), State::open);
    assert_bytes_equal(w.client.got, "");
    assert_state(w.later(1), State::open);
    assert_bytes_equal(w.client.got, server_close(4001));
    assert_int_equal(w.relay.deadline()->count(), w.now.count() + 50);
    assert_state(w.from_backend(server(0x81, "late")), State::open);
    assert_state(w.later(50), State::done);
    assert_bytes_equal(w.client.got, server_close(4001));
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        TEST(a_close_of_the_client_and_its_answer_end_the_connection),
        TEST(a_close_frame_that_ends_all_leaves_with_the_end_of_the_stream),
        TEST(nothing_is_held_back_while_something_waits),
        TEST(what_follows_a_close_frame_goes_nowhere),
        TEST(an_unanswered_close_ends_after_the_close_timeout),
        TEST(the_gateway_closes_both_sides_and_drops_what_comes_before_the_answers),
        TEST(a_close_of_the_gateway_waits_for_the_end_of_a_frame),
        TEST(a_close_of_the_gateway_in_frames_that_never_end_cuts_after_the_close_timeout),
        TEST(an_idle_timeout_in_the_middle_of_two_frames_ends_after_the_close_timeout),
        TEST(a_backend_that_leaves_is_told_to_the_client),
        TEST(a_backend_that_leaves_in_a_frame_cuts_the_client),
        TEST(a_half_closed_client_gets_its_answers),
        TEST(a_half_closed_client_gets_its_answers_where_the_backend_can_not_be_half_closed),
        TEST(a_client_that_leaves_in_a_frame_cuts_the_backend),
        TEST(a_client_that_leaves_in_a_frame_ends_at_once_where_the_backend_can_not_be_half_closed),
        TEST(a_client_that_breaks_a_header_is_told_after_the_frame_of_a_backend_that_can_not_be_half_closed),
        TEST(a_client_whose_connection_is_broken_does_not_stop_the_backend_from_hearing_all),
        TEST(what_waits_for_a_slow_client_is_sent_before_the_end),
        cmocka_unit_test(a_client_that_closes_gets_what_the_backend_says_before_its_own_close),
        cmocka_unit_test(a_client_that_closes_is_answered_after_half_of_the_close_timeout),
    };
    return cmocka_run_group_tests_name("relay: end", tests, nullptr, nullptr);
}
