// Sessions that are known already: for whom they will do, and how long.
#include "auth_sessions.hpp"

namespace {

using sessions::Verdicts;
using sessions::World;

void cached_what_is_known_will_do_until_it_is_too_old(void**) {
    World world;
    World::Seen first;
    World::Seen second;
    World::Seen third;
    world.watch(first, "a");
    world.sessions.tracked(true);
    world.settle();
    world.store.answer("1");
    world.pass(999);
    world.watch_cached(second, "a", 1000);
    assert_true(second.verdicts == Verdicts{"allowed 1"});
    assert_true(first.verdicts == Verdicts{"allowed 1"});
    world.settle();
    assert_int_equal(world.sessions.tally().reads, 1);
    assert_int_equal(world.sessions.tally().cached, 1);
    assert_int_equal(world.store.tracks, 1);
    world.pass(1);
    world.watch_cached(third, "a", 1000);
    world.settle();
    assert_true(third.verdicts.empty());
    assert_int_equal(world.sessions.tally().reads, 2);
}

void cached_who_is_strict_is_answered_by_a_read_all_the_same(void**) {
    World world;
    world.sessions.tracked(true);
    World::Seen first;
    World::Seen cached;
    World::Seen strict;
    world.watch(first, "a");
    world.settle();
    world.store.answer("1");
    world.watch_cached(cached, "a", 1000);
    world.watch(strict, "a");
    world.settle();
    assert_true(strict.verdicts.empty());
    world.store.answer("1");
    assert_true(cached.verdicts == Verdicts{"allowed 1"});
    assert_true(strict.verdicts == Verdicts{"allowed 1"});
}

void cached_a_reported_change_is_read_for_who_comes_then(void**) {
    World world;
    World::Seen first;
    World::Seen second;
    World::Seen third;
    world.watch(first, "a");
    world.sessions.tracked(true);
    world.settle();
    world.store.answer("1");
    world.sessions.invalidated("a");
    world.watch_cached(second, "a", 60000);
    world.settle();
    assert_true(second.verdicts.empty());
    world.store.answer("2");
    assert_true(second.verdicts == Verdicts{"allowed 2"});
    assert_true((first.verdicts == Verdicts{"allowed 1", "allowed 2"}));
    world.sessions.missed();
    world.watch_cached(third, "a", 60000);
    world.settle();
    assert_true(third.verdicts.empty());
    world.store.answer(nullptr);
    assert_true(third.verdicts == Verdicts{"denied"});
}

void cached_who_comes_behind_a_read_is_answered_by_it(void**) {
    World world;
    world.sessions.tracked(true);
    World::Seen first;
    World::Seen cached;
    World::Seen strict;
    World::Seen stricter;
    world.watch(first, "a");
    world.settle();
    world.pass(100);
    world.watch_cached(cached, "a", 101);
    world.watch_cached(strict, "a", 100);
    world.watch(stricter, "a");
    world.store.answer("1");
    assert_true(first.verdicts == Verdicts{"allowed 1"});
    assert_true(cached.verdicts == Verdicts{"allowed 1"});
    assert_true(strict.verdicts.empty());
    assert_true(stricter.verdicts.empty());
    world.settle();
    world.store.answer(nullptr);
    assert_true((cached.verdicts == Verdicts{"allowed 1", "denied"}));
    assert_true(strict.verdicts == Verdicts{"denied"});
    assert_true(stricter.verdicts == Verdicts{"denied"});
}

void cached_a_read_that_may_be_of_the_past_answers_nobody_who_came_behind_it(void**) {
    for (const std::string_view how : {"changed", "missed", "untracked", "gone"}) {
        World world;
        world.sessions.tracked(true);
        World::Seen first;
        World::Seen cached;
        world.watch(first, "a");
        world.settle();
        world.watch_cached(cached, "a", 60000);
        if (how == "changed") { world.sessions.invalidated("a"); }
        if (how == "missed") { world.sessions.missed(); }
        if (how == "untracked") { world.sessions.tracked(false); }
        world.store.answer(how == "gone" ? nullptr : "1");
        assert_true(cached.verdicts.empty());
        world.settle();
        world.store.answer("2");
        assert_true(cached.verdicts == Verdicts{"allowed 2"});
    }
}

void cached_who_is_told_may_ask_again_and_leave(void**) {
    World world;
    world.sessions.tracked(true);
    World::Seen first;
    World::Seen again;
    World::Seen last;
    const std::string_view words[] = {"GET", "a"};
    const ws::auth::Question question{words, true, sessions::Milliseconds(30000), sessions::Milliseconds(60000)};
    first.watch = world.sessions.watch(question, [&](const sessions::Verdict&) {
        world.watch_cached(again, "a", 60000);
        first.watch.reset();
    });
    world.watch_cached(last, "a", 60000);
    world.settle();
    world.store.answer("1");
    assert_true(again.verdicts == Verdicts{"allowed 1"});
    assert_true(last.verdicts == Verdicts{"allowed 1"});
    world.sessions.invalidated("a");
    world.pass(1000);
    world.store.answer("2");
    assert_true((again.verdicts == Verdicts{"allowed 1", "allowed 2"}));
    assert_true((last.verdicts == Verdicts{"allowed 1", "allowed 2"}));
}

void cached_a_session_without_reports_is_read_for_each(void**) {
    World world;
    World::Seen first;
    World::Seen second;
    world.watch_cached(first, "a", 60000, false);
    world.settle();
    world.store.answer("1");
    assert_int_equal(world.sessions.size(), 0);
    world.watch_cached(second, "a", 60000, false);
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
}

void cached_a_session_outlives_its_watches_until_it_is_too_old_or_changes(void**) {
    World world({.max_unwatched = 2});
    world.sessions.tracked(true);
    for (const char* key : {"a", "b", "c"}) {
        World::Seen seen;
        world.watch_cached(seen, key, 1000, false);
        world.settle();
        world.store.answer("1");
        assert_true(seen.verdicts == Verdicts{"allowed 1"});
    }
    assert_int_equal(world.sessions.size(), 2);
    World::Seen known;
    world.watch_cached(known, "a", 1000);
    assert_true(known.verdicts == Verdicts{"allowed 1"});
    World::Seen once;
    world.watch_cached(once, "b", 1000, false);
    assert_true(once.verdicts == Verdicts{"allowed 1"});
    assert_int_equal(world.sessions.tally().reads, 3);
    known.watch.reset();
    assert_int_equal(world.sessions.size(), 2);
    world.sessions.invalidated("a");
    assert_int_equal(world.sessions.size(), 1);
    world.pass(1000);
    assert_int_equal(world.sessions.size(), 0);
    assert_int_equal(world.sessions.tally().reads, 3);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(cached_what_is_known_will_do_until_it_is_too_old),
        cmocka_unit_test(cached_who_is_strict_is_answered_by_a_read_all_the_same),
        cmocka_unit_test(cached_a_reported_change_is_read_for_who_comes_then),
        cmocka_unit_test(cached_who_comes_behind_a_read_is_answered_by_it),
        cmocka_unit_test(cached_a_read_that_may_be_of_the_past_answers_nobody_who_came_behind_it),
        cmocka_unit_test(cached_who_is_told_may_ask_again_and_leave),
        cmocka_unit_test(cached_a_session_without_reports_is_read_for_each),
        cmocka_unit_test(cached_a_session_outlives_its_watches_until_it_is_too_old_or_changes),
    };
    return cmocka_run_group_tests_name("session cache", tests, nullptr, nullptr);
}
