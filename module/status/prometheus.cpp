#include "status/prometheus.h"

#include <initializer_list>
#include <utility>

namespace ws::status {

namespace {

using Label = std::pair<std::string_view, std::string_view>;

class Writer {
public:
    void family(std::string_view name, std::string_view type, std::string_view help) {
        name_ = name;
        text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
        text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
    }

    template <class Number>
    void sample(std::initializer_list<Label> labels, Number value, std::string_view suffix = {}) {
        sample(labels, std::to_string(value), suffix);
    }

    void sample(std::initializer_list<Label> labels, const std::string& value, std::string_view suffix = {}) {
        text_.append(name_).append(suffix);
        char separator = '{';
        for (const auto& [name, label] : labels) {
            text_ += std::exchange(separator, ',');
            text_.append(name).append("=\"");
            append_escaped(label);
            text_ += '"';
        }
        text_.append(labels.size() > 0 ? "} " : " ").append(value).append("\n");
    }

    // A metric without labels.
    void single(std::string_view name, std::string_view type, std::string_view help, std::uint64_t value) {
        family(name, type, help);
        sample({}, value);
    }

    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    void append_escaped(std::string_view label) {
        for (const char c : label) {
            if (c == '\\' || c == '"') { text_ += '\\'; }
            if (c == '\n') {
                text_ += "\\n";
            } else {
                text_ += c;
            }
        }
    }

    std::string_view name_;
    std::string text_;
};

std::string seconds(std::uint64_t us) {
    std::string text = std::to_string(us / 1000000) + "." + std::to_string(1000000 + us % 1000000).substr(1);
    text.erase(text.find_last_not_of('0') + 1);
    return text.ends_with('.') ? text + "0" : text;
}

void write_connections(Writer& out, const Totals& totals) {
    out.family("ws_connections", "gauge", "Open WebSocket connections.");
    for (std::size_t i = 0; i < deliveries.size(); ++i) { out.sample({{"delivery", deliveries[i]}}, totals.open[i]); }
    out.family("ws_connections_opened_total", "counter", "WebSocket connections opened.");
    for (std::size_t i = 0; i < deliveries.size(); ++i) { out.sample({{"delivery", deliveries[i]}}, totals.opened[i]); }
    out.single("ws_connections_lost_total", "counter",
               "Connections that ended with their worker process: killed, crashed or told to stop at once.",
               totals.connections_lost);
    out.family("ws_close_total", "counter",
               "Connections closed, by close code and by who closed. 1005: no code, 1006: no close frame.");
    for (std::size_t code = 0; code < close_codes.size(); ++code) {
        for (std::size_t by = 0; by < closers.size(); ++by) {
            if (totals.closes[code][by] == 0) { continue; }
            out.sample({{"code", close_codes[code]}, {"by", closers[by]}}, totals.closes[code][by]);
        }
    }
}

void write_traffic(Writer& out, const Totals& totals) {
    out.family("ws_messages_total", "counter", "Messages from clients (in) and to clients (out).");
    for (std::size_t i = 0; i < directions.size(); ++i) {
        out.sample({{"direction", directions[i]}}, totals.messages[i]);
    }
    out.family("ws_transferred_bytes_total", "counter",
               "Bytes of WebSocket frames from clients (in) and to clients (out).");
    for (std::size_t i = 0; i < directions.size(); ++i) { out.sample({{"direction", directions[i]}}, totals.bytes[i]); }
    out.single("ws_commands_dropped_total", "counter", "Messages and replies of backends that were no valid command.",
               totals.commands_dropped);
    out.single("ws_pings_total", "counter", "Pings sent to quiet clients.", totals.pings);
    out.single("ws_pongs_missed_total", "counter", "Pings that no sign of life followed in time.", totals.pongs_missed);
}

void write_http(Writer& out, const Totals& totals) {
    out.family("ws_http_requests_total", "counter", "Requests to backends (ws_delivery http), by event and result.");
    for (std::size_t event = 0; event < http_events.size(); ++event) {
        for (std::size_t result = 0; result < http_results.size(); ++result) {
            out.sample({{"event", http_events[event]}, {"result", http_results[result]}},
                       totals.http_requests[event][result]);
        }
    }
    out.family("ws_http_requests_in_flight", "gauge", "Requests to backends that are under way (ws_delivery http).");
    out.sample({}, totals.http_in_flight);
}

void write_auth(Writer& out, const Totals& totals) {
    out.family("ws_auth_total", "counter", "Requests let in or refused, by result.");
    for (std::size_t i = 0; i < auth_results.size(); ++i) { out.sample({{"result", auth_results[i]}}, totals.auth[i]); }
    out.family("ws_auth_duration_seconds", "histogram", "Time that a request waited for its session.");
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < auth_bounds_us.size(); ++i) {
        count += totals.auth_duration.buckets[i];
        out.sample({{"le", seconds(auth_bounds_us[i])}}, count, "_bucket");
    }
    count += totals.auth_duration.buckets.back();
    out.sample({{"le", "+Inf"}}, count, "_bucket");
    out.sample({}, seconds(totals.auth_duration.sum_us), "_sum");
    out.sample({}, count, "_count");
    out.single("ws_revocations_total", "counter", "Connections closed because their session ended.",
               totals.revocations);
    out.single("ws_context_changes_total", "counter", "New contexts of open connections, since their session changed.",
               totals.context_changes);
}

// One family for all servers.
template <class Value>
void write_servers(Writer& out, const Totals& totals, std::string_view name, std::string_view type,
                   std::string_view help, Value value) {
    out.family(name, type, help);
    for (std::size_t i = 0; i < max_servers; ++i) {
        if (!totals.servers[i].empty()) { out.sample({{"server", totals.servers[i]}}, value(i)); }
    }
}

void write_redis(Writer& out, const Totals& totals) {
    const auto& redis = totals.redis;
    write_servers(out, totals, "ws_redis_up", "gauge", "0 while a worker finds the Redis server unreachable, else 1.",
                  [&](std::size_t i) { return totals.redis_workers[i].down == 0 ? 1 : 0; });
    out.family("ws_redis_workers", "gauge", "Workers that use the Redis server, by what they find.");
    for (std::size_t i = 0; i < max_servers; ++i) {
        if (totals.servers[i].empty()) { continue; }
        out.sample({{"server", totals.servers[i]}, {"state", "up"}}, totals.redis_workers[i].up);
        out.sample({{"server", totals.servers[i]}, {"state", "down"}}, totals.redis_workers[i].down);
    }
    write_servers(out, totals, "ws_redis_lookups_total", "counter", "Sessions that requests asked for.",
                  [&](std::size_t i) { return redis[i].lookups; });
    write_servers(out, totals, "ws_redis_cached_total", "counter",
                  "Lookups answered by what was known (ws_auth_cache).",
                  [&](std::size_t i) { return redis[i].cached; });
    write_servers(out, totals, "ws_redis_reads_total", "counter", "Commands sent to read a session.",
                  [&](std::size_t i) { return redis[i].reads; });
    write_servers(out, totals, "ws_redis_outages_total", "counter",
                  "Times that a worker found the Redis server unreachable.",
                  [&](std::size_t i) { return redis[i].outages; });
    write_servers(out, totals, "ws_redis_connects_total", "counter",
                  "Connections to the Redis server that became ready.",
                  [&](std::size_t i) { return redis[i].connects; });
}

}  // namespace

std::string to_prometheus(const Totals& totals) {
    Writer out;
    out.single("ws_workers", "gauge", "Worker processes, those included that are on their way out.", totals.workers);
    out.single("ws_workers_lost_total", "counter", "Worker processes that were killed or crashed.",
               totals.workers_lost);
    write_connections(out, totals);
    write_traffic(out, totals);
    write_http(out, totals);
    write_auth(out, totals);
    write_redis(out, totals);
    return out.take();
}

}  // namespace ws::status
