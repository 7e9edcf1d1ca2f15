#include "status/json.h"

#include <span>
#include <string_view>

#include "context/json.h"

namespace ws::status {

namespace {

// Appends members and elements, with the commas between them.
class Writer {
public:
    void open(char bracket) {
        text_ += bracket;
        first_ = true;
    }
    void close(char bracket) {
        text_ += bracket;
        first_ = false;
    }
    void element() {
        if (!first_) { text_ += ','; }
        first_ = false;
    }
    void name(std::string_view name) {
        element();
        text_.append("\"").append(name).append("\":");
    }
    void object(std::string_view member) {
        name(member);
        open('{');
    }
    template <class Number>
    void number(std::string_view member, Number value) {
        name(member);
        text_ += std::to_string(value);
    }
    void text(std::string_view member, std::string_view value) {
        name(member);
        context::append_ascii_string(text_, value);
    }
    template <class Number>
    void numbers(std::string_view member, std::span<const std::string_view> names, std::span<const Number> values) {
        object(member);
        for (std::size_t i = 0; i < names.size(); ++i) { number(names[i], values[i]); }
        close('}');
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    std::string text_;
    bool first_ = true;
};

template <class Number, std::size_t n>
Number sum(const std::array<Number, n>& values) {
    Number total = 0;
    for (const Number value : values) { total += value; }
    return total;
}

void write_connections(Writer& out, const Totals& totals) {
    out.object("connections");
    out.number("open", sum(totals.open));
    out.number("opened", sum(totals.opened));
    out.number("lost", totals.connections_lost);
    out.numbers<std::int64_t>("open_by_delivery", deliveries, totals.open);
    out.numbers<std::uint64_t>("opened_by_delivery", deliveries, totals.opened);
    out.close('}');

    out.name("closes");
    out.open('[');
    for (std::size_t code = 0; code < close_codes.size(); ++code) {
        for (std::size_t by = 0; by < closers.size(); ++by) {
            if (totals.closes[code][by] == 0) { continue; }
            out.element();
            out.open('{');
            out.text("code", close_codes[code]);
            out.text("by", closers[by]);
            out.number("count", totals.closes[code][by]);
            out.close('}');
        }
    }
    out.close(']');
}

void write_http(Writer& out, const Totals& totals) {
    out.object("http");
    out.object("requests");
    for (std::size_t i = 0; i < http_events.size(); ++i) {
        out.numbers<std::uint64_t>(http_events[i], http_results, totals.http_requests[i]);
    }
    out.close('}');
    out.number("in_flight", totals.http_in_flight);
    out.close('}');
}

void write_auth(Writer& out, const Totals& totals) {
    out.object("auth");
    out.numbers<std::uint64_t>("results", auth_results, totals.auth);
    out.object("duration");
    out.number("count", sum(totals.auth_duration.buckets));
    out.number("sum_us", totals.auth_duration.sum_us);
    out.name("buckets");
    out.open('[');
    for (std::size_t i = 0; i < totals.auth_duration.buckets.size(); ++i) {
        out.element();
        out.open('{');
        if (i < auth_bounds_us.size()) { out.number("up_to_us", auth_bounds_us[i]); }
        out.number("count", totals.auth_duration.buckets[i]);
        out.close('}');
    }
    out.close(']');
    out.close('}');
    out.close('}');
}

void write_redis(Writer& out, const Totals& totals) {
    out.name("redis");
    out.open('[');
    for (std::size_t i = 0; i < max_servers; ++i) {
        if (totals.servers[i].empty()) { continue; }
        const auto& server = totals.redis[i];
        out.element();
        out.open('{');
        out.text("server", totals.servers[i]);
        out.number("workers_up", totals.redis_workers[i].up);
        out.number("workers_down", totals.redis_workers[i].down);
        out.number("lookups", server.lookups);
        out.number("cached", server.cached);
        out.number("reads", server.reads);
        out.number("outages", server.outages);
        out.number("connects", server.connects);
        out.close('}');
    }
    out.close(']');
}

}  // namespace

std::string to_json(const Totals& totals, std::uint64_t time_ms) {
    Writer out;
    out.open('{');
    out.number("version", 1);
    out.number("time_ms", time_ms);
    out.object("workers");
    out.number("running", totals.workers);
    out.number("lost", totals.workers_lost);
    out.close('}');
    write_connections(out, totals);
    out.numbers<std::uint64_t>("messages", directions, totals.messages);
    out.numbers<std::uint64_t>("bytes", directions, totals.bytes);
    out.number("commands_dropped", totals.commands_dropped);
    out.number("pings", totals.pings);
    out.number("pongs_missed", totals.pongs_missed);
    write_http(out, totals);
    write_auth(out, totals);
    out.number("revocations", totals.revocations);
    out.number("context_changes", totals.context_changes);
    write_redis(out, totals);
    out.close('}');
    return out.take();
}

}  // namespace ws::status
