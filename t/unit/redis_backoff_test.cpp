#include "redis/backoff.h"

#include "cmocka.hpp"

using ws::redis::Backoff;

namespace {

// The largest delay that can be drawn now: the range is [min, ceiling], so this number picks its end.
std::uint32_t ceiling_after(Backoff backoff) {
    std::uint32_t ceiling = 0;
    for (std::uint32_t random = 0; random <= Backoff::max_ms; ++random) {
        Backoff copy = backoff;
        ceiling = std::max(ceiling, copy.next(random));
    }
    return ceiling;
}

void the_ceiling_doubles_until_the_maximum(void**) {
    Backoff backoff;
    for (const std::uint32_t wanted : {200, 400, 800, 1600, 3200, 5000, 5000, 5000}) {
        assert_int_equal(ceiling_after(backoff), wanted);
        (void)backoff.next(0);
    }
}

void no_delay_is_below_the_minimum(void**) {
    Backoff backoff;
    for (int i = 0; i < 10; ++i) { assert_int_equal(backoff.next(0), Backoff::min_ms); }
    for (std::uint32_t random = 0xffffffff; random > 0xffff0000; random -= 7) {
        assert_in_range(backoff.next(random), Backoff::min_ms, Backoff::max_ms);
    }
}

void a_success_starts_again(void**) {
    Backoff backoff;
    for (int i = 0; i < 40; ++i) { (void)backoff.next(0); }
    backoff.reset();
    assert_int_equal(ceiling_after(backoff), 200);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(the_ceiling_doubles_until_the_maximum),
        cmocka_unit_test(no_delay_is_below_the_minimum),
        cmocka_unit_test(a_success_starts_again),
    };
    return cmocka_run_group_tests_name("redis backoff", tests, nullptr, nullptr);
}
