// Sessions that open sockets keep from expiring.
#include "auth_sessions.hpp"

namespace {

using sessions::Verdicts;
using sessions::World;
using ws::auth::Milliseconds;

void a_session_is_renewed_while_a_watch_wants_it(void**) {
    World world;
    world.sessions.tracked(true);
    World::Seen one;
    World::Seen two;
    world.watch(one, "a");
    world.watch(two, "a");
    world.settle();
    world.store.answer("1");
    const ws::auth::Renewal renewal{Milliseconds(60000), Milliseconds(6000)};
    one.watch->renew(renewal);
    two.watch->renew(renewal);
    world.settle();
    assert_int_equal(world.store.waiting.size(), 1);
    const auto& words = world.store.waiting[0].words;
    assert_true(
        (words[0] == "EVAL" && words[2] == "1" && words[3] == "a" && words[4] == "60000" && words[5] == "57000"));
    world.store.answer("1");
    world.pass(5999);
    assert_int_equal(world.store.waiting.size(), 0);
    world.pass(1);
    assert_int_equal(world.store.waiting.size(), 1);
    world.store.answer("1");
    one.watch.reset();
    world.pass(6000);
    assert_int_equal(world.store.waiting.size(), 1);
    world.store.answer("1");
    World::Seen other;
    world.watch(other, "a");  // one that doesn't want it
    world.settle();
    world.store.answer("1");
    two.watch.reset();
    world.pass(60000);
    assert_int_equal(world.store.waiting.size(), 0);
}

void a_store_that_refuses_to_renew_is_asked_no_more(void**) {
    std::vector<std::string> refused;
    World world({.on_renewal_refused = [&](std::string_view code) { refused.emplace_back(code); }});
    world.sessions.tracked(true);
    std::vector<World::Seen> seen(2);
    for (std::size_t n = 0; n < seen.size(); ++n) {
        world.watch(seen[n], std::to_string(n));
        world.settle();
        world.store.answer("1");
        seen[n].watch->renew({Milliseconds(60000), Milliseconds(6000)});
    }
    world.settle();
    world.store.refuse("NOPERM no");
    world.store.refuse("NOPERM no");
    world.pass(60000);
    assert_true(refused == Verdicts{"NOPERM"});
    assert_int_equal(world.store.waiting.size(), 0);
    assert_int_equal(world.sessions.size(), 2);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_renewed_while_a_watch_wants_it),
        cmocka_unit_test(a_store_that_refuses_to_renew_is_asked_no_more),
    };
    return cmocka_run_group_tests_name("session renewal", tests, nullptr, nullptr);
}
