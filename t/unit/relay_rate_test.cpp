// Token buckets: the burst, the rate, and clocks that jump.
#include "relay/rate.h"

#include "cmocka.hpp"

using ws::relay::Milliseconds;
using ws::relay::Rate;
using ws::relay::TokenBucket;

namespace {

int taken(TokenBucket& bucket, Milliseconds now) {
    int count = 0;
    while (count < 1'000'000 && bucket.take(now)) { ++count; }
    return count;
}

void a_bucket_is_full_at_first(void**) {
    TokenBucket bucket({60, 5});
    assert_int_equal(taken(bucket, Milliseconds(7)), 5);
}

void tokens_come_at_the_rate(void**) {
    TokenBucket bucket({600, 5});
    Milliseconds now{1000};
    assert_int_equal(taken(bucket, now), 5);
    for (int n = 0; n < 100; ++n) {
        assert_int_equal(bucket.wait(now).count(), 100);
        now += Milliseconds(99);
        assert_false(bucket.take(now));
        now += Milliseconds(1);
        assert_int_equal(bucket.wait(now).count(), 0);
        assert_true(bucket.take(now));
    }
}

void a_rate_that_no_millisecond_divides_is_kept_over_time(void**) {
    TokenBucket bucket({70, 2});
    int count = 0;
    for (int n = 0; n <= 600'000; ++n) { count += bucket.take(Milliseconds(n)) ? 1 : 0; }
    assert_int_equal(count, 700 + 2);
}

void a_bucket_never_holds_more_than_its_burst(void**) {
    TokenBucket bucket({60'000'000, 1'000'000});
    assert_int_equal(taken(bucket, Milliseconds(0)), 1'000'000);
    const Milliseconds years{std::int64_t{100} * 365 * 24 * 3600 * 1000};
    assert_int_equal(taken(bucket, years), 1'000'000);
}

void without_a_rate_there_is_no_limit(void**) { assert_false(TokenBucket(Rate{}).limited()); }

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_is_full_at_first),
        cmocka_unit_test(tokens_come_at_the_rate),
        cmocka_unit_test(a_rate_that_no_millisecond_divides_is_kept_over_time),
        cmocka_unit_test(a_bucket_never_holds_more_than_its_burst),
        cmocka_unit_test(without_a_rate_there_is_no_limit),
    };
    return cmocka_run_group_tests_name("relay rate", tests, nullptr, nullptr);
}
