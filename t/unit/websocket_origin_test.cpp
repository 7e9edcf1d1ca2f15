#include "cmocka.hpp"

#include <string>

#include "websocket/origin.h"

using namespace ws::websocket;
using ws::test::assert_bytes_equal;

namespace {

void an_origin_is_scheme_host_and_port_and_nothing_else(void**) {
    const struct {
        const char* text;
        const char* wanted;  // scheme|host|port, or null
    } rows[] = {
        {"http://example.com", "http|example.com|"},
        {"HTTPS://Example.COM", "https|example.com|"},
        {"http://example.com:80", "http|example.com|"},
        {"https://example.com:443", "https|example.com|"},
        {"https://example.com:80", "https|example.com|80"},
        {"http://example.com:08080", "http|example.com|8080"},
        {"http://example.com:0080", "http|example.com|"},
        {"http://[::1]:3000", "http|[::1]|3000"},
        {"http://[2001:DB8::1]", "http|[2001:db8::1]|"},
        {"http://127.0.0.1:8080", "http|127.0.0.1|8080"},
        {"chrome-extension://abcdef", "chrome-extension|abcdef|"},
        {"http://a_b.local", "http|a_b.local|"},
        {"", nullptr},
        {"null", nullptr},
        {"example.com", nullptr},
        {"//example.com", nullptr},
        {"://example.com", nullptr},
        {"http:/example.com", nullptr},
        {"http://", nullptr},
        {"http://example.com/", nullptr},
        {"http://example.com/path", nullptr},
        {"http://example.com?x", nullptr},
        {"http://example.com#x", nullptr},
        {"http://user@example.com", nullptr},
        {"http://example.com@evil.com", nullptr},
        {"http://example.com evil.com", nullptr},
        {" http://example.com", nullptr},
        {"http://example.com ", nullptr},
        {"http://example.com,http://evil.com", nullptr},
        {"http://example.com:", nullptr},
        {"http://example.com:x", nullptr},
        {"http://example.com:123456", nullptr},
        {"http://example.com:80:80", nullptr},
        {"http://[::1", nullptr},
        {"http://[]", nullptr},
        {"http://[::1]x", nullptr},
        {"http://[::1]80", nullptr},
        {"http://[zz]", nullptr},
        {"ht tp://example.com", nullptr},
        {"http://ex\xc3\xa4mple.com", nullptr},
        {"http://example.com\\.evil.com", nullptr},
    };
    for (const auto& row : rows) {
        const auto origin = Origin::parse(row.text);
        assert_int_equal(origin.has_value(), row.wanted != nullptr);
        if (origin) { assert_bytes_equal(origin->scheme + "|" + origin->host + "|" + origin->port, row.wanted); }
    }
    assert_false(Origin::parse(std::string_view("http://example.com\0.evil.com", 28)).has_value());
}

struct Row {
    const char* origin;
    const char* host;
    bool secure;
    bool allowed;
};

void check(const OriginPolicy& policy, const Row& row) {
    if (policy.allows(row.origin, row.host, row.secure) != row.allowed) {
        fail_msg("origin %s, host %s, %s: not %d", row.origin, row.host, row.secure ? "TLS" : "no TLS", row.allowed);
    }
}

void the_same_origin_is_the_hosts_own(void**) {
    const Row rows[] = {
        {"http://example.com", "example.com", false, true},
        {"http://example.com", "EXAMPLE.com", false, true},
        {"http://example.com", "example.com:80", false, true},
        {"http://example.com:8080", "example.com:8080", false, true},
        {"http://example.com", "example.com:8080", false, false},
        {"http://example.com:8080", "example.com", false, false},
        {"http://evil.com", "example.com", false, false},
        {"http://example.com.evil.com", "example.com", false, false},
        {"http://notexample.com", "example.com", false, false},
        {"http://sub.example.com", "example.com", false, false},
        {"http://example.co", "example.com", false, false},
        {"http://", "", false, false},
        {"http://a b", "a b", false, false},
        {"http://example.com/", "example.com/", false, false},
        {"http://user@example.com", "user@example.com", false, false},
        {"http://EXAMPLE.com", "EXAMPLE.com", false, true},
        {"http://[::1]:8080", "[::1]:8080", false, true},
        {"http://[::1]:8080", "[::2]:8080", false, false},
        // TLS: a plain page could have been written by anybody on the way.
        {"https://example.com", "example.com", true, true},
        {"https://example.com", "example.com:443", true, true},
        {"http://example.com", "example.com", true, false},
        {"http://example.com:443", "example.com", true, false},
        // TLS ended in front of the gateway.
        {"https://example.com", "example.com", false, true},
        {"https://example.com", "example.com:443", false, true},
        {"https://example.com", "example.com:80", false, false},
        {"null", "example.com", false, false},
        {"", "example.com", false, false},
        {"file://", "example.com", false, false},
        {"ftp://example.com", "example.com", false, false},
        {"http://example.com/", "example.com", false, false},
        {"http://example.com", "", false, false},
        {"http://example.com", "example.com/x", false, false},
        {"http://example.com", "user@example.com", false, false},
    };
    for (const Row& row : rows) { check(OriginPolicy::same(), row); }
}

void any_is_any(void**) {
    for (const char* origin : {"", "null", "http://evil.com", "not an origin"}) {
        check(OriginPolicy::any(), {origin, "example.com", true, true});
    }
}

void listed_origins_are_allowed_and_the_own_host_is_not_one_of_them(void**) {
    auto policy = OriginPolicy::listed();
    for (const char* pattern : {"example.com", "https://secure.example.com", "*.Wild.example", "host.example:8080",
                                "https://*.deep.example:8443", "[::1]:3000"}) {
        assert_true(policy.add(pattern));
    }
    const Row rows[] = {
        {"http://example.com", "x", false, true},
        {"https://example.com", "x", false, true},
        {"http://example.com:80", "x", false, true},
        {"http://example.com:8080", "x", false, false},
        {"https://example.com:80", "x", false, false},
        {"chrome-extension://example.com", "x", false, false},
        {"https://secure.example.com", "x", false, true},
        {"http://secure.example.com", "x", false, false},
        {"http://a.wild.example", "x", false, true},
        {"https://a.b.WILD.example", "x", false, true},
        {"http://wild.example", "x", false, false},
        {"http://.wild.example", "x", false, false},
        {"http://evilwild.example", "x", false, false},
        {"http://a.wild.example.evil.com", "x", false, false},
        {"http://host.example:8080", "x", false, true},
        {"https://host.example:8080", "x", false, true},
        {"http://host.example", "x", false, false},
        {"https://a.deep.example:8443", "x", false, true},
        {"http://a.deep.example:8443", "x", false, false},
        {"http://[::1]:3000", "x", false, true},
        {"http://[::1]", "x", false, false},
        {"http://own.host", "own.host", false, false},
        {"null", "x", false, false},
    };
    for (const Row& row : rows) { check(policy, row); }
}

void a_pattern_that_is_no_host_is_refused(void**) {
    for (const char* pattern :
         {"", "*", "*.", "http://", "ftp://example.com", "null", "example.com/", "exa mple.com", "a.*.com",
          "example.com:", "example.com:x", "user@example.com", "http://http://x", "**.example.com"}) {
        auto policy = OriginPolicy::listed();
        const bool host = std::string_view(pattern) == "null";  // a name like any other here; no page has it as origin
        if (policy.add(pattern) != host) { fail_msg("pattern '%s'", pattern); }
        assert_false(policy.allows("null", "example.com", false));
    }
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(an_origin_is_scheme_host_and_port_and_nothing_else),
        cmocka_unit_test(the_same_origin_is_the_hosts_own),
        cmocka_unit_test(any_is_any),
        cmocka_unit_test(listed_origins_are_allowed_and_the_own_host_is_not_one_of_them),
        cmocka_unit_test(a_pattern_that_is_no_host_is_refused),
    };
    return cmocka_run_group_tests_name("websocket origin", tests, nullptr, nullptr);
}
