#include "auth/renewals.h"

#include <algorithm>
#include <array>
#include <utility>

#include "redis/reply.h"

namespace ws::auth {

namespace {

// In one step, since between a look at the time to live and EXPIRE the application may set another. A key without one
// (PTTL -1) keeps none, a key that is gone (-2) stays gone. EXPIRE's own GT would do, from Redis 7 on.
constexpr std::string_view script =
    "local left = redis.call('PTTL', KEYS[1]) "
    "if left >= 0 and left < tonumber(ARGV[2]) then return redis.call('PEXPIRE', KEYS[1], ARGV[1]) end "
    "return 0";

}  // namespace

Renewals::Renewals(redis::Store& store, Clock& clock, std::size_t window, OnRefused on_refused)
    : store_(store), clock_(clock), window_(window), on_refused_(std::move(on_refused)) {}

void Renewals::keep(const void* owner, std::string_view key, const Renewal& renewal) {
    if (on_refused_ == nullptr) { return; }
    const auto [place, added] = entries_.try_emplace(owner);
    Entry& entry = place->second;
    entry.renewal = renewal;
    if (!added) { return; }
    try {
        entry.key = key;
        entry.due = schedule_.emplace(clock_.now(), &entry);
    } catch (...) {
        entries_.erase(place);
        throw;
    }
    clock_.wake_at(clock_.now());
}

void Renewals::drop(const void* owner) noexcept {
    const auto found = entries_.find(owner);
    if (found == entries_.end()) { return; }
    if (found->second.command != nullptr) {
        --under_way_;
    } else {
        schedule_.erase(found->second.due);
    }
    entries_.erase(found);
}

void Renewals::run() {
    while (under_way_ < window_ && !schedule_.empty() && schedule_.begin()->first <= clock_.now()) {
        send(*schedule_.begin()->second);
    }
    if (under_way_ < window_ && !schedule_.empty()) { clock_.wake_at(schedule_.begin()->first); }
}

void Renewals::send(Entry& entry) {
    const std::string ttl = std::to_string(entry.renewal.ttl.count());
    const std::string enough = std::to_string((entry.renewal.ttl - entry.renewal.interval / 2).count());
    const std::array<std::string_view, 6> command{"EVAL", script, "1", entry.key, ttl, enough};
    entry.command = store_.send(command, [this, &entry](const redis::Outcome& outcome) { on_reply(entry, outcome); });
    entry.place = schedule_.extract(entry.due);
    ++under_way_;
    ++sent_;
}

void Renewals::on_reply(Entry& entry, const redis::Outcome& outcome) {
    entry.command.reset();
    --under_way_;
    entry.place.key() = clock_.now() + entry.renewal.interval;
    entry.due = schedule_.insert(std::move(entry.place));
    clock_.wake_at(schedule_.begin()->first);
    if (outcome.status != redis::Outcome::Status::reply || !redis::is_error(*outcome.reply)) { return; }
    const std::string_view code = redis::error_code(*outcome.reply);
    // A server that isn't up yet, or is busy, will be asked again.
    if (code != "NOPERM" && code != "ERR" && code != "READONLY") { return; }
    if (const OnRefused told = std::exchange(on_refused_, nullptr)) {
        told(code);
        schedule_.clear();
        entries_.clear();
        under_way_ = 0;
    }
}

}  // namespace ws::auth
