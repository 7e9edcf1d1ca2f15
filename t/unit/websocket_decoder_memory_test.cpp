// How much heap a decoder holds.
#include "websocket/decoder.h"

#include <string>

#include "cmocka.hpp"
#include "heap.hpp"
#include "websocket_wire.hpp"

using namespace ws::websocket;

namespace {

constexpr std::size_t mebi = 1024 * 1024;
constexpr Limits limits{.max_message = mebi, .max_fragments = 1000000};

// Bytes of a frame whose payload is longer than what is sent of it.
std::string begun(unsigned first, std::size_t declared, std::size_t sent) {
    std::string bytes = wire::client(first, std::string(declared, 'x'));
    bytes.resize(bytes.size() - declared + sent);
    return bytes;
}

void feed(Decoder& decoder, std::span<char> input) {
    while (decoder.next(input).kind != Event::Kind::need_more) {}
}

void an_idle_decoder_holds_nothing(void**) {
    std::string pieces[] = {begun(0x82, 50000, 100), std::string(49900, 'x'), wire::client(0x89, "pq").substr(0, 7),
                            wire::client(0x89, "pq").substr(7), wire::client(0x81, "y").substr(0, 3)};
    const heap::Since memory;
    Decoder decoder(Sender::client, limits);
    assert_int_equal(memory.now(), 0);
    feed(decoder, pieces[0]);
    assert_true(memory.now() > 0);
    feed(decoder, pieces[1]);
    assert_int_equal(memory.now(), 0);
    feed(decoder, pieces[2]);
    assert_true(memory.now() > 0);
    feed(decoder, pieces[3]);
    assert_int_equal(memory.now(), 0);
    feed(decoder, pieces[4]);  // the header of a message, half
    assert_int_equal(memory.now(), 0);
}

void messages_that_arrive_whole_allocate_nothing(void**) {
    std::string bytes;
    for (int i = 0; i < 100; ++i) { bytes += wire::client(0x81, std::string(500, 'x')) + wire::client(0x89, "ping"); }
    const heap::Since memory;
    Decoder decoder(Sender::client, limits);
    feed(decoder, bytes);
    assert_int_equal(memory.most(), 0);
}

void memory_follows_what_arrived_not_what_was_declared(void**) {
    std::string bytes = begun(0x82, mebi, 100);
    const heap::Since memory;
    Decoder decoder(Sender::client, limits);
    feed(decoder, bytes);
    assert_true(memory.most() < 1000);
}

void a_message_beyond_the_limit_is_refused_before_anything_is_stored(void**) {
    std::string bytes = begun(0x82, mebi + 1, 100);
    const heap::Since memory;
    Decoder decoder(Sender::client, limits);
    feed(decoder, bytes);
    assert_int_equal(memory.most(), 0);
}

void a_violation_gives_back_what_the_message_held(void**) {
    std::string fragment = wire::client(0x01, std::string(100000, 'x'));
    std::string wrong = begun(0x80, mebi, 100);
    const heap::Since memory;
    Decoder decoder(Sender::client, limits);
    feed(decoder, fragment);
    assert_true(memory.now() >= 100000);
    std::span<char> input(wrong);
    assert_true(decoder.next(input).kind == Event::Kind::violation);
    assert_int_equal(memory.now(), 0);
    const heap::Since afterwards;
    feed(decoder, input);
    assert_int_equal(afterwards.most(), 0);
}

void a_large_message_is_given_back_while_small_ones_follow(void**) {
    std::string start = begun(0x82, 50000, 100);
    std::string rest = std::string(49900, 'x') + wire::client(0x82, "y") + wire::client(0x82, "z");
    const heap::Since memory;
    Decoder decoder(Sender::client, limits);
    feed(decoder, start);
    std::span<char> input(rest);
    assert_int_equal(decoder.next(input).payload.size(), 50000);
    assert_true(memory.now() >= 50000);
    assert_int_equal(decoder.next(input).payload.size(), 1);
    assert_int_equal(memory.now(), 0);
}

// Growing copies: for a moment the old memory stands beside the new.
void the_largest_message_holds_its_limit_and_twice_that_while_growing(void**) {
    std::string fragment = wire::client(0x01, std::string(1000, 'x'));
    std::string more = wire::client(0x00, std::string(1000, 'x'));
    const std::string more_again = more;
    std::string ping = wire::client(0x89, std::string(125, 'p'));
    const std::string ping_again = ping;
    const heap::Since memory;
    {
        Decoder decoder(Sender::client, limits);
        feed(decoder, fragment);
        for (std::size_t size = 1000; size + 1000 <= mebi; size += 1000) {
            more.replace(0, more.size(), more_again);
            ping.replace(0, ping.size(), ping_again);
            feed(decoder, more);
            feed(decoder, std::span<char>(ping).first(50));
            feed(decoder, std::span<char>(ping).subspan(50));
        }
        assert_true(decoder.message_in_progress());
        constexpr std::size_t rounding = 8192;  // of malloc
        assert_true(memory.now() >= mebi - 1000 && memory.now() <= mebi + rounding);
        assert_true(memory.most() <= 2 * mebi + rounding);
    }
    assert_int_equal(memory.now(), 0);
}

void a_flood_of_pings_in_pieces_holds_one_ping(void**) {
    std::string start = wire::client(0x89, std::string(125, 'p'));
    std::string rest = start.substr(60) + start.substr(0, 60);
    start.resize(60);
    const std::string rest_again = rest;
    const heap::Since memory;
    Decoder decoder(Sender::client, limits);
    feed(decoder, start);
    for (int i = 0; i < 100000; ++i) {
        rest.replace(0, rest.size(), rest_again);
        feed(decoder, rest);
    }
    assert_true(memory.most() < 1000);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_decoder_holds_nothing),
        cmocka_unit_test(messages_that_arrive_whole_allocate_nothing),
        cmocka_unit_test(memory_follows_what_arrived_not_what_was_declared),
        cmocka_unit_test(a_message_beyond_the_limit_is_refused_before_anything_is_stored),
        cmocka_unit_test(a_violation_gives_back_what_the_message_held),
        cmocka_unit_test(a_large_message_is_given_back_while_small_ones_follow),
        cmocka_unit_test(the_largest_message_holds_its_limit_and_twice_that_while_growing),
        cmocka_unit_test(a_flood_of_pings_in_pieces_holds_one_ping),
    };
    return cmocka_run_group_tests_name("websocket decoder memory", tests, nullptr, nullptr);
}
