// Sessions that expire by themselves are read when they have.
#include "auth_sessions.hpp"

namespace {

using sessions::Verdicts;
using sessions::World;

// Its reports come, it is known, and expires so late.
void let_in(World& world, World::Seen& seen, long long time_to_live) {
    world.sessions.tracked(true);
    world.watch(seen, "a");
    world.settle();
    world.store.answer("1");
    assert_true((world.store.times_to_live[0].words == Verdicts{"PTTL", "a"}));
    world.store.answer_time(time_to_live);
}

void a_session_is_read_when_it_has_expired(void**) {
    World world;
    World::Seen seen;
    let_in(world, seen, 5000);
    world.pass(5000);
    assert_true(world.store.waiting.empty());
    world.pass(1);
    assert_int_equal(world.store.waiting.size(), 1);
    world.store.answer(nullptr);
    assert_true((seen.verdicts == Verdicts{"allowed 1", "denied"}));
}

void a_session_that_got_more_time_is_read_then(void**) {
    World world;
    World::Seen seen;
    let_in(world, seen, 5000);
    world.sessions.invalidated("a");
    world.pass(250);
    world.store.answer("1");
    world.store.answer_time(60000);
    world.pass(59000);
    assert_true(world.store.waiting.empty());
    world.pass(1001);
    assert_int_equal(world.store.waiting.size(), 1);
}

void a_session_that_never_expires_or_whose_time_is_secret_is_left_alone(void**) {
    World world;
    World::Seen seen;
    let_in(world, seen, -1);
    world.sessions.invalidated("a");
    world.pass(250);
    world.store.answer("1");
    world.store.refuse_time();
    world.pass(1 << 30);
    assert_true(world.store.waiting.empty());
}

void a_time_that_can_t_be_asked_about_stands_as_it_was_known(void**) {
    World world;
    World::Seen seen;
    let_in(world, seen, 5000);
    world.sessions.invalidated("a");
    world.pass(250);
    world.store.answer("1");
    world.store.lose_time();
    world.pass(4751);
    assert_int_equal(world.store.waiting.size(), 1);
}

void a_session_that_expires_in_years_is_read_once_a_day(void**) {
    constexpr int day = 24 * 3600 * 1000;
    World world;
    World::Seen seen;
    let_in(world, seen, 1LL << 62);
    for (int n = 0; n < 3; ++n) {
        world.pass(day);
        assert_true(world.store.waiting.empty());
        world.pass(1);
        world.store.answer("1");
        world.store.answer_time(1LL << 40);
    }
    assert_true((seen.verdicts == Verdicts{"allowed 1"}));
}

void cached_a_session_whose_time_is_over_is_read_again_whatever_runs_first(void**) {
    World world;
    World::Seen first, second;
    world.sessions.tracked(true);
    world.watch_cached(first, "a", 60000);
    world.settle();
    world.store.answer("1");
    world.store.answer_time(5000);
    world.clock.time += ws::auth::Milliseconds(5001);  // nothing has run
    world.watch_cached(second, "a", 60000);
    assert_true(second.verdicts.empty());
    world.settle();
    world.store.answer(nullptr);
    assert_true(second.verdicts == Verdicts{"denied"});
}

void cached_nobody_is_let_in_by_a_session_that_has_expired(void**) {
    World world;
    World::Seen first, second;
    world.sessions.tracked(true);
    world.watch_cached(first, "a", 60000, false);
    world.settle();
    world.store.answer("1");
    world.store.answer_time(5000);
    world.pass(5001);
    assert_int_equal(world.sessions.size(), 0);
    world.watch_cached(second, "a", 60000, false);
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_read_when_it_has_expired),
        cmocka_unit_test(a_session_that_got_more_time_is_read_then),
        cmocka_unit_test(a_session_that_never_expires_or_whose_time_is_secret_is_left_alone),
        cmocka_unit_test(a_time_that_can_t_be_asked_about_stands_as_it_was_known),
        cmocka_unit_test(a_session_that_expires_in_years_is_read_once_a_day),
        cmocka_unit_test(cached_a_session_whose_time_is_over_is_read_again_whatever_runs_first),
        cmocka_unit_test(cached_nobody_is_let_in_by_a_session_that_has_expired),
    };
    return cmocka_run_group_tests_name("session expiry", tests, nullptr, nullptr);
}
