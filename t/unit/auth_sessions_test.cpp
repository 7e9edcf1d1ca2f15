// Sessions: one read for many, changes told, nothing missed.
#include "auth_sessions.hpp"

namespace {

using sessions::Verdicts;
using sessions::World;
using ws::auth::Milliseconds;
using ws::auth::Verdict;
using ws::auth::Watch;

void nothing_is_asked_before_the_event_loop_runs(void**) {
    World world;
    World::Seen seen;
    world.watch(seen, "a");
    assert_int_equal(world.store.waiting.size(), 0);
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
    assert_true((world.store.waiting[0].words == Verdicts{"GET", "a"}));
}

void one_read_answers_all_who_wait(void**) {
    World world;
    std::vector<World::Seen> seen(100);
    for (auto& one : seen) { world.watch(one, "a"); }
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
    world.store.answer("{}");
    world.settle();
    for (auto& one : seen) { assert_true(one.verdicts == Verdicts{"allowed {}"}); }
    assert_int_equal(world.sessions.tally().reads, 1);
}

void who_comes_behind_a_read_is_answered_by_the_next(void**) {
    World world;
    World::Seen first;
    std::vector<World::Seen> late(100);
    world.watch(first, "a");
    world.settle();
    for (auto& one : late) { world.watch(one, "a"); }
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
    // The session ends between the two.
    world.store.answer("{}");
    assert_true(first.verdicts == Verdicts{"allowed {}"});
    for (auto& one : late) { assert_true(one.verdicts.empty()); }
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
    world.store.answer(nullptr);
    for (auto& one : late) { assert_true(one.verdicts == Verdicts{"denied"}); }
    assert_true((first.verdicts == Verdicts{"allowed {}", "denied"}));
}

void a_known_session_is_read_again_for_who_comes(void**) {
    World world;
    world.sessions.tracked(true);
    World::Seen first;
    World::Seen second;
    world.watch(first, "a");
    world.settle();
    world.store.answer("1");
    world.pass(100000);
    world.watch(second, "a");
    world.settle();
    assert_true(second.verdicts.empty());
    world.store.answer("1");
    assert_true(second.verdicts == Verdicts{"allowed 1"});
    assert_true(first.verdicts == Verdicts{"allowed 1"});
}

void a_value_that_is_the_same_is_no_news(void**) {
    World world;
    world.sessions.tracked(true);
    World::Seen seen;
    world.watch(seen, "a");
    world.settle();
    world.store.answer("1");
    for (const char* value : {"1", "1", "2", "2", "1"}) {
        world.pass(1000);
        world.sessions.invalidated("a");
        world.settle();
        world.store.answer(value);
    }
    assert_true((seen.verdicts == Verdicts{"allowed 1", "allowed 2", "allowed 1"}));
    assert_int_equal(world.sessions.tally().reads, 6);
}

void a_change_is_read_once_and_told_to_all(void**) {
    World world;
    world.sessions.tracked(true);
    World::Seen one;
    World::Seen two;
    world.watch(one, "a");
    world.watch(two, "a");
    world.settle();
    world.store.answer("1");
    world.pass(1000);
    world.sessions.invalidated("a");
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
    world.store.answer("2");
    assert_true((one.verdicts == Verdicts{"allowed 1", "allowed 2"}));
    assert_true((two.verdicts == Verdicts{"allowed 1", "allowed 2"}));
}

void a_session_that_is_gone_ends_its_watches_and_is_forgotten(void**) {
    World world;
    World::Seen seen;
    world.watch(seen, "a");
    world.settle();
    world.store.answer("1");
    world.pass(1000);
    world.sessions.invalidated("a");
    world.settle();
    world.store.answer(nullptr);
    assert_true((seen.verdicts == Verdicts{"allowed 1", "denied"}));
    assert_int_equal(world.sessions.size(), 0);
    seen.watch.reset();
}

void changes_in_quick_succession_are_read_at_the_pace(void**) {
    World world({.pace = Milliseconds(250)});
    world.sessions.tracked(true);
    World::Seen seen;
    world.watch(seen, "a");
    world.settle();
    world.store.answer("1");
    for (int n = 0; n < 10; ++n) {
        world.pass(10);
        world.sessions.invalidated("a");
    }
    world.settle();
    assert_int_equal(world.store.waiting.size(), 0);
    world.pass(250);
    assert_int_equal(world.store.waiting.size(), 1);
}

void a_change_behind_the_first_read_is_read_again_before_anybody_is_let_in(void**) {
    World world;
    World::Seen seen;
    world.watch(seen, "a");
    world.settle();
    world.sessions.invalidated("a");
    world.store.answer("old");
    assert_true(seen.verdicts.empty());
    assert_int_equal(world.store.waiting.size(), 1);
    world.store.answer(nullptr);
    assert_true(seen.verdicts == Verdicts{"denied"});
}

void a_session_that_changes_all_the_time_is_answered_all_the_same(void**) {
    World world;
    World::Seen seen;
    world.watch(seen, "a");
    world.settle();
    world.sessions.invalidated("a");
    world.store.answer("1");
    world.sessions.invalidated("a");
    world.store.answer("2");
    assert_true(seen.verdicts == Verdicts{"allowed 2"});
    world.pass(1000);
    assert_int_equal(world.store.waiting.size(), 1);
}

void missed_reports_have_every_session_read_again_within_the_window(void**) {
    World world({.window = 8});
    world.sessions.tracked(true);
    std::vector<World::Seen> seen(1000);
    for (std::size_t n = 0; n < seen.size(); ++n) { world.watch(seen[n], std::to_string(n)); }
    world.settle();
    while (!world.store.waiting.empty()) {
        assert_true(world.store.waiting.size() <= 8);
        world.store.answer("1");
        world.settle();
    }
    assert_int_equal(world.sessions.tally().reads, 1000);
    world.pass(1000);
    world.sessions.missed();
    world.settle();
    while (!world.store.waiting.empty()) {
        assert_true(world.store.waiting.size() <= 8);
        world.store.answer(nullptr);
        world.settle();
    }
    for (auto& one : seen) { assert_true((one.verdicts == Verdicts{"allowed 1", "denied"})); }
}

void without_reports_sessions_are_read_at_their_interval(void**) {
    World world;
    World::Seen seen;
    world.watch(seen, "a", true, 5000);
    world.settle();
    world.store.answer("1");
    world.pass(4999);
    assert_int_equal(world.store.waiting.size(), 0);
    world.pass(1);
    assert_int_equal(world.store.waiting.size(), 1);
}

void with_reports_nothing_is_read_without_one(void**) {
    World world;
    world.sessions.tracked(true);
    World::Seen seen;
    world.watch(seen, "a", true, 5000);
    world.settle();
    world.store.answer("1");
    world.pass(1000000);
    assert_int_equal(world.store.waiting.size(), 0);
}

void an_outage_refuses_newcomers_and_keeps_those_who_are_in(void**) {
    World world;
    world.sessions.tracked(true);
    World::Seen in;
    world.watch(in, "a");
    world.settle();
    world.store.answer("1");
    world.pass(1000);
    world.sessions.invalidated("a");
    World::Seen other;
    world.watch(other, "b");
    world.settle();
    assert_int_equal(world.store.waiting.size(), 2);
    world.store.lose();
    world.store.lose();
    assert_true(in.verdicts == Verdicts{"allowed 1"});
    assert_true(other.verdicts == Verdicts{"unavailable"});
    world.sessions.missed();
    world.pass(1000);
    assert_int_equal(world.store.waiting.size(), 1);
    world.store.answer(nullptr);
    assert_true((in.verdicts == Verdicts{"allowed 1", "denied"}));
}

void a_question_that_is_not_live_is_answered_once(void**) {
    World world;
    World::Seen seen;
    world.watch(seen, "a", false);
    world.settle();
    world.store.answer("1");
    assert_int_equal(world.sessions.size(), 0);
    world.sessions.invalidated("a");
    world.pass(1000);
    assert_int_equal(world.store.waiting.size(), 0);
}

void a_watch_that_leaves_cancels_its_read_and_frees_the_place(void**) {
    World world({.window = 1});
    World::Seen first;
    World::Seen second;
    world.watch(first, "a");
    world.watch(second, "b");
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
    first.watch.reset();
    world.settle();
    assert_int_equal(world.store.waiting.size(), 2);
    world.store.answer("1");
    world.store.answer("2");
    assert_true(first.verdicts.empty());
    assert_true(second.verdicts == Verdicts{"allowed 2"});
}

void a_callback_may_end_watches_its_own_included(void**) {
    World world;
    World::Seen other;
    std::unique_ptr<Watch> own;
    int calls = 0;
    const std::string_view words[] = {"GET", "a"};
    own = world.sessions.watch({words, true, {}}, [&](const Verdict&) {
        ++calls;
        own.reset();
        other.watch.reset();
    });
    world.watch(other, "a");
    world.settle();
    world.store.answer("1");
    assert_int_equal(calls, 1);
    assert_true(other.verdicts.empty());
    assert_int_equal(world.sessions.size(), 0);
}

void too_many_who_wait_are_refused(void**) {
    World world({.window = 1, .max_waiting = 2});
    std::vector<World::Seen> seen(4);
    for (std::size_t n = 0; n < seen.size(); ++n) { world.watch(seen[n], std::to_string(n)); }
    world.settle();
    assert_true(seen[2].verdicts == Verdicts{"unavailable"});
    assert_true(seen[3].verdicts == Verdicts{"unavailable"});
    world.store.answer("1");
    world.settle();
    world.store.answer("2");
    assert_true(seen[0].verdicts == Verdicts{"allowed 1"});
    assert_true(seen[1].verdicts == Verdicts{"allowed 2"});
}

void who_waits_too_long_for_a_place_is_refused(void**) {
    World world({.window = 1, .patience = Milliseconds(1000)});
    World::Seen reading;
    World::Seen waiting;
    World::Seen later;
    world.watch(reading, "a");
    world.watch(waiting, "b");
    world.settle();
    world.pass(500);
    world.watch(later, "c");
    world.pass(499);
    assert_true(waiting.verdicts.empty());
    world.pass(1);
    assert_true(waiting.verdicts == Verdicts{"unavailable"});
    assert_true(later.verdicts.empty());
    assert_true(reading.verdicts.empty());
    assert_int_equal(world.sessions.size(), 2);
    world.store.answer("1");
    world.settle();
    world.store.answer("3");
    assert_true(reading.verdicts == Verdicts{"allowed 1"});
    assert_true(later.verdicts == Verdicts{"allowed 3"});
}

void a_change_is_still_read_when_who_waited_for_it_was_refused(void**) {
    World world({.window = 1, .patience = Milliseconds(1000)});
    world.sessions.tracked(true);
    World::Seen in;
    World::Seen reading;
    World::Seen waiting;
    world.watch(in, "a");
    world.settle();
    world.store.answer("1");
    world.watch(reading, "b");
    world.settle();
    world.sessions.invalidated("a");
    world.watch(waiting, "a");
    world.pass(1000);
    assert_true(waiting.verdicts == Verdicts{"unavailable"});
    world.store.answer("2");
    world.settle();
    world.store.answer(nullptr);
    assert_true((in.verdicts == Verdicts{"allowed 1", "denied"}));
}

void a_hash_and_a_string_of_one_key_are_two_sessions(void**) {
    World world;
    World::Seen text;
    World::Seen hash;
    world.watch(text, "a");
    const std::string_view words[] = {"HGETALL", "a"};
    hash.watch = world.sessions.watch({words, true, {}}, [&](const Verdict&) { hash.verdicts.emplace_back("told"); });
    assert_int_equal(world.sessions.size(), 2);
    world.settle();
    world.store.answer("1");
    world.store.answer(nullptr);
    assert_int_equal(hash.verdicts.size(), 1);
    assert_true(text.verdicts == Verdicts{"allowed 1"});
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_asked_before_the_event_loop_runs),
        cmocka_unit_test(one_read_answers_all_who_wait),
        cmocka_unit_test(a_change_is_read_once_and_told_to_all),
        cmocka_unit_test(a_session_that_is_gone_ends_its_watches_and_is_forgotten),
        cmocka_unit_test(who_comes_behind_a_read_is_answered_by_the_next),
        cmocka_unit_test(a_known_session_is_read_again_for_who_comes),
        cmocka_unit_test(a_value_that_is_the_same_is_no_news),
        cmocka_unit_test(who_waits_too_long_for_a_place_is_refused),
        cmocka_unit_test(a_change_is_still_read_when_who_waited_for_it_was_refused),
        cmocka_unit_test(changes_in_quick_succession_are_read_at_the_pace),
        cmocka_unit_test(a_change_behind_the_first_read_is_read_again_before_anybody_is_let_in),
        cmocka_unit_test(a_session_that_changes_all_the_time_is_answered_all_the_same),
        cmocka_unit_test(missed_reports_have_every_session_read_again_within_the_window),
        cmocka_unit_test(without_reports_sessions_are_read_at_their_interval),
        cmocka_unit_test(with_reports_nothing_is_read_without_one),
        cmocka_unit_test(an_outage_refuses_newcomers_and_keeps_those_who_are_in),
        cmocka_unit_test(a_question_that_is_not_live_is_answered_once),
        cmocka_unit_test(a_watch_that_leaves_cancels_its_read_and_frees_the_place),
        cmocka_unit_test(a_callback_may_end_watches_its_own_included),
        cmocka_unit_test(too_many_who_wait_are_refused),
        cmocka_unit_test(a_hash_and_a_string_of_one_key_are_two_sessions),
    };
    return cmocka_run_group_tests_name("auth sessions", tests, nullptr, nullptr);
}
