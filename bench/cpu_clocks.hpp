// The CPU time of other processes, as exact as the kernel knows it: the ticks of /proc/PID/stat are too coarse.
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "wire.hpp"

namespace bench {

class CpuClocks {
public:
    // The process ids, with commas between them.
    explicit CpuClocks(const std::string& pids) {
        for (std::size_t at = 0; at < pids.size();) {
            std::size_t used = 0;
            clockid_t clock;
            require(clock_getcpuclockid(std::stoi(pids.substr(at), &used), &clock) == 0, alive);
            clocks_.push_back(clock);
            at += used + 1;
        }
    }
    // Nanoseconds, user and system, of each.
    [[nodiscard]] std::vector<long long> now() const {
        std::vector<long long> all;
        for (const clockid_t clock : clocks_) {
            timespec time;
            require(clock_gettime(clock, &time) == 0, alive);
            all.push_back(time.tv_sec * 1'000'000'000LL + time.tv_nsec);
        }
        return all;
    }

private:
    static constexpr const char* alive = "a process that runs; it has ended";
    std::vector<clockid_t> clocks_;
};

}  // namespace bench
