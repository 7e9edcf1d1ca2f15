// Preloaded into nginx: how long its event loop was away from epoll_wait() at most, in time and in CPU time, which is what
// remains of it on a machine that does other things, too. Kept in the file GAP_FILE, two numbers of 64 bits in
// nanoseconds, shared by all who inherit it; whoever reads it may set it to 0.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

struct Gap {
    std::uint64_t wall;
    std::uint64_t cpu;
};

std::uint64_t now(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

Gap* shared() {
    static Gap* const gap = [] {
        static Gap unshared;
        const char* path = std::getenv("GAP_FILE");
        const int fd = path != nullptr ? open(path, O_RDWR | O_CLOEXEC) : -1;
        void* memory = fd != -1 ? mmap(nullptr, sizeof(Gap), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
        return memory != MAP_FAILED ? static_cast<Gap*>(memory) : &unshared;
    }();
    return gap;
}

// In the master, before it clears the environment of its workers.
[[gnu::constructor]] void map_file() { shared(); }

}  // namespace

extern "C" int epoll_wait(int epoll, epoll_event* events, int most, int timeout) {
    static const auto original = reinterpret_cast<decltype(&epoll_wait)>(dlsym(RTLD_NEXT, "epoll_wait"));
    static Gap left{};
    if (left.wall != 0) {
        shared()->wall = std::max(shared()->wall, now(CLOCK_MONOTONIC) - left.wall);
        shared()->cpu = std::max(shared()->cpu, now(CLOCK_THREAD_CPUTIME_ID) - left.cpu);
    }
    const int n = original(epoll, events, most, timeout);
    left = {now(CLOCK_MONOTONIC), now(CLOCK_THREAD_CPUTIME_ID)};
    return n;
}
