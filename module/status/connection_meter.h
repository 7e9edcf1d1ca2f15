// One open connection in its worker's counters, from its beginning to its end.
#pragma once

#include <cstdint>

#include "status/figures.h"

namespace ws::status {

// What a connection has moved so far, from its client and to it.
struct Traffic {
    std::uint64_t messages_in = 0;
    std::uint64_t messages_out = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t pings = 0;  // sent to the client
    std::uint64_t pongs_missed = 0;
};

class ConnectionMeter final {
public:
    // `counters` outlives the meter.
    ConnectionMeter(Counters& counters, Delivery delivery) noexcept
        : counters_(counters), open_(counters.open[static_cast<std::size_t>(delivery)]) {
        open_.add(1);
        counters.opened[static_cast<std::size_t>(delivery)].add();
    }
    ConnectionMeter(const ConnectionMeter&) = delete;
    ConnectionMeter& operator=(const ConnectionMeter&) = delete;
    ~ConnectionMeter() {
        if (!closed_) { close(1006, ClosedBy::gateway); }
    }

    // Counts what has come since the last call: once per event, not per message.
    void update(const Traffic& now) noexcept {
        add(counters_.messages[0], now.messages_in, counted_.messages_in);
        add(counters_.messages[1], now.messages_out, counted_.messages_out);
        add(counters_.bytes[0], now.bytes_in, counted_.bytes_in);
        add(counters_.bytes[1], now.bytes_out, counted_.bytes_out);
        add(counters_.pings, now.pings, counted_.pings);
        add(counters_.pongs_missed, now.pongs_missed, counted_.pongs_missed);
    }

    // The connection is open no more. Once.
    void close(std::uint16_t code, ClosedBy by) noexcept {
        closed_ = true;
        open_.add(-1);
        counters_.closes[close_code_index(code)][static_cast<std::size_t>(by)].add();
    }

private:
    static void add(Counter& counter, std::uint64_t now, std::uint64_t& counted) noexcept {
        if (now == counted) { return; }
        counter.add(now - counted);
        counted = now;
    }

    Counters& counters_;
    Gauge& open_;
    Traffic counted_;
    bool closed_ = false;
};

}  // namespace ws::status
