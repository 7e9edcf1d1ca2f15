#include "redis/url.h"

#include "cmocka.hpp"

#include <cstring>

using ws::redis::parse_url;
using ws::redis::Url;
using ws::test::assert_bytes_equal;

namespace {

// All of a URL in one line, so that a test shows it whole: address|user|password|db.
std::string parsed(std::string_view text) {
    std::string error;
    const auto url = parse_url(text, error);
    return url ? url->address() + '|' + url->user + '|' + url->password + '|' + std::to_string(url->db)
               : "error: " + error;
}

void assert_refused(std::string_view text, std::string_view because,
                    std::source_location where = std::source_location::current()) {
    std::string error;
    if (parse_url(text, error) || error.find(because) == std::string::npos) {
        print_error("%.*s: got \"%s\"\n", static_cast<int>(text.size()), text.data(), error.c_str());
        _fail(where.file_name(), static_cast<int>(where.line()));
    }
}

void a_tcp_url_has_defaults_for_all_but_the_host(void**) {
    assert_bytes_equal(parsed("redis://localhost"), "localhost:6379|||0");
    assert_bytes_equal(parsed("redis://localhost/"), "localhost:6379|||0");
    assert_bytes_equal(parsed("redis://10.0.0.1:6380"), "10.0.0.1:6380|||0");
    assert_bytes_equal(parsed("redis://r.example:1/15"), "r.example:1|||15");
    assert_bytes_equal(parsed("redis://h:65535/2147483647"), "h:65535|||2147483647");
}

void credentials_are_decoded_and_split_at_the_first_colon(void**) {
    assert_bytes_equal(parsed("redis://:secret@h"), "h:6379||secret|0");
    assert_bytes_equal(parsed("redis://ann:secret@h:1/2"), "h:1|ann|secret|2");
    assert_bytes_equal(parsed("redis://ann:a:b@h"), "h:6379|ann|a:b|0");
    assert_bytes_equal(parsed("redis://ann:a@b@h"), "h:6379|ann|a@b|0");
    assert_bytes_equal(parsed("redis://a%3ab:%40%2F%3F%23%25@h"), "h:6379|a:b|@/?#%|0");
}

void an_ipv6_address_keeps_its_brackets(void**) {
    assert_bytes_equal(parsed("redis://[::1]"), "[::1]:6379|||0");
    assert_bytes_equal(parsed("redis://ann:secret@[fe80::1]:6380/1"), "[fe80::1]:6380|ann|secret|1");
    assert_refused("redis://::1", "brackets");
    assert_refused("redis://[::1", "brackets");
    assert_refused("redis://[::1]6379", "port");
}

// kind|hosts|master|user|db|tls
std::string several(std::string_view text) {
    std::string error;
    const auto url = parse_url(text, error);
    if (!url) { return "error: " + error; }
    std::string line = url->kind == Url::Kind::sentinel ? "sentinel|" : "cluster|";
    for (const auto& endpoint : url->endpoints) { line += endpoint.text() + ' '; }
    return line + '|' + url->master + '|' + url->user + '|' + std::to_string(url->db) + (url->tls ? "|tls" : "|");
}

void sentinels_are_several_hosts_and_a_name(void**) {
    assert_bytes_equal(several("redis+sentinel://h/main"), "sentinel|h:26379 |main||0|");
    assert_bytes_equal(several("redis+sentinel://ann:a@b@h1,[::1]:5,h3:6/main/7"),
                       "sentinel|h1:26379 [::1]:5 h3:6 |main|ann|7|");
    assert_bytes_equal(several("rediss+sentinel://h/main/"), "sentinel|h:26379 |main||0|tls");
    std::string error;
    assert_bytes_equal(parse_url("redis+sentinel://h/main", error)->address(), "main");
    assert_refused("redis+sentinel://h", "name is missing");
    assert_refused("redis+sentinel://h/", "name is missing");
    assert_refused("redis+sentinel://h//1", "name is missing");
    assert_refused("redis+sentinel://h/main/x", "database");
    assert_refused("redis+sentinel://h,/main", "host is missing");
    assert_refused("redis+sentinel://,h/main", "host is missing");
    assert_refused("redis+sentinel://h:0,h/main", "port");
    assert_refused("redis+sentinel:h", "must look like");
}

void a_cluster_is_several_hosts(void**) {
    assert_bytes_equal(several("redis+cluster://h"), "cluster|h:6379 |||0|");
    assert_bytes_equal(several("rediss+cluster://:p@h1,h2:7/"), "cluster|h1:6379 h2:7 |||0|tls");
    std::string error;
    assert_bytes_equal(parse_url("redis+cluster://h,i:7", error)->address(), "cluster h:6379");
    assert_refused("redis+cluster://h/1", "no databases");
    assert_refused("redis+cluster://", "host is missing");
    assert_refused("redis://h,i", "several hosts");
}

void rediss_is_the_same_by_tls(void**) {
    std::string error;
    assert_true(parse_url("rediss://ann:secret@h:1/2", error)->tls);
    assert_bytes_equal(parsed("rediss://ann:secret@h:1/2"), "h:1|ann|secret|2");
    assert_false(parse_url("redis://h", error)->tls);
    assert_false(parse_url("unix:/r", error)->tls);
    assert_refused("rediss://", "host is missing");
    assert_refused("rediss:/h", "must look like");
}

void a_unix_socket_has_three_spellings(void**) {
    assert_bytes_equal(parsed("unix:/run/redis.sock"), "unix:/run/redis.sock|||0");
    assert_bytes_equal(parsed("unix:///run/redis.sock"), "unix:/run/redis.sock|||0");
    assert_bytes_equal(parsed("redis+unix:///run/redis.sock?db=3"), "unix:/run/redis.sock|||3");
    assert_bytes_equal(parsed("unix://ann:secret@/run/redis.sock?db=3"), "unix:/run/redis.sock|ann|secret|3");
    assert_bytes_equal(parsed("unix:/r.sock?db=1&user=ann&password=s%26p"), "unix:/r.sock|ann|s&p|1");
    assert_bytes_equal(parsed("unix:/r.sock?username=ann&password=p"), "unix:/r.sock|ann|p|0");
    assert_bytes_equal(parsed("unix:/a%20b.sock"), "unix:/a b.sock|||0");
}

void what_is_wrong_is_said(void**) {
    assert_refused("", "must look like");
    assert_refused("localhost:6379", "must look like");
    assert_refused("http://localhost", "must look like");
    assert_refused("redis://", "host is missing");
    assert_refused("redis://:6379", "host is missing");
    assert_refused("redis://h:", "port");
    assert_refused("redis://h:0", "port");
    assert_refused("redis://h:65536", "port");
    assert_refused("redis://h:6x", "port");
    assert_refused("redis://h/x", "database");
    assert_refused("redis://h/-1", "database");
    assert_refused("redis://h/2147483648", "database");
    assert_refused("redis://h/1/2", "database");
    assert_refused("redis://h?db=1", "not understood");
    assert_refused("redis://h#1", "not understood");
    assert_refused("redis://ann@h", "needs a password");
    assert_refused("redis://ann:@h", "needs a password");
    assert_refused("redis://@h", "needs a password");
    assert_refused("redis://a:%@h", "hexadecimal");
    assert_refused("redis://a:%4@h", "hexadecimal");
    assert_refused("redis://a:%4g@h", "hexadecimal");
    assert_refused("redis://a:%00@h", "hexadecimal");
    assert_refused("redis://h h", "blanks");
    assert_refused(std::string_view{"redis://h\0", 10}, "blanks");
    assert_refused("unix:", "absolute");
    assert_refused("unix:run/redis.sock", "absolute");
    assert_refused("unix://run/redis.sock", "absolute");
    assert_refused("unix://", "absolute");
    assert_refused("unix:/r?", "options");
    assert_refused("unix:/r?color=red", "options");
    assert_refused("unix:/r?db=x", "database");
    assert_refused("unix:/r?user=ann", "needs a password");
}

void neither_address_nor_error_holds_the_password(void**) {
    for (const char* text : {"redis://ann:sesame@h/x", "redis://ann:sesame@h:0", "redis://ann:sesame@",
                             "unix://ann:sesame@x/r", "unix:/r?password=sesame&x", "ann:sesame@h"}) {
        std::string error;
        assert_false(parse_url(text, error).has_value());
        assert_null(strstr(error.c_str(), "sesame"));
    }
    std::string error;
    assert_bytes_equal(parse_url("redis://ann:sesame@h", error)->address(), "h:6379");
    assert_bytes_equal(parse_url("unix:/r?password=sesame", error)->address(), "unix:/r");
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(a_tcp_url_has_defaults_for_all_but_the_host),
        cmocka_unit_test(credentials_are_decoded_and_split_at_the_first_colon),
        cmocka_unit_test(an_ipv6_address_keeps_its_brackets),
        cmocka_unit_test(sentinels_are_several_hosts_and_a_name),
        cmocka_unit_test(a_cluster_is_several_hosts),
        cmocka_unit_test(rediss_is_the_same_by_tls),
        cmocka_unit_test(a_unix_socket_has_three_spellings),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(neither_address_nor_error_holds_the_password),
    };
    return cmocka_run_group_tests_name("redis url", tests, nullptr, nullptr);
}
