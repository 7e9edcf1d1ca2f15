// A library for LD_PRELOAD: in one process, allocations fail when they are told to. Which process and which allocations stands in a
// file, $FAILING_ALLOCATIONS, that t/lib/memory.py writes; processes that are forked see it, too.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace {

struct Orders {
    std::atomic<std::int64_t> process;  // 0: nobody's fail
    std::atomic<std::int64_t> pass;     // so many succeed first
    std::atomic<std::int64_t> fail;     // then so many fail
    std::atomic<std::int64_t> failed;
};

Orders* orders = nullptr;
thread_local bool within = false;  // an allocation of another kind, which has been counted

__attribute__((constructor)) void open_orders() {
    const char* path = std::getenv("FAILING_ALLOCATIONS");
    const int file = path != nullptr ? ::open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file == -1) { return; }
    void* at = ::mmap(nullptr, sizeof(Orders), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (at != MAP_FAILED) { orders = static_cast<Orders*>(at); }
}

bool fails() {
    if (orders == nullptr || within || orders->process != ::getpid()) { return false; }
    if (orders->pass > 0) {
        --orders->pass;
        return false;
    }
    if (orders->fail <= 0) { return false; }
    --orders->fail;
    ++orders->failed;
    errno = ENOMEM;
    return true;
}

// What would be called without this library: the C library's, or a sanitizer's.
template <class Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

template <class Function, class... Arguments>
auto call(Function* function, Arguments... arguments) {
    const bool outermost = !within;
    within = true;
    auto result = function(arguments...);
    if (outermost) { within = false; }
    return result;
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
    static auto* const real = next<void*(std::size_t)>("malloc");
    return fails() ? nullptr : real(size);
}

void* calloc(std::size_t count, std::size_t size) {
    static auto* const real = next<void*(std::size_t, std::size_t)>("calloc");
    return fails() ? nullptr : real(count, size);
}

void* realloc(void* old, std::size_t size) {
    static auto* const real = next<void*(void*, std::size_t)>("realloc");
    return fails() ? nullptr : real(old, size);
}

int posix_memalign(void** result, std::size_t alignment, std::size_t size) {
    static auto* const real = next<int(void**, std::size_t, std::size_t)>("posix_memalign");
    return fails() ? ENOMEM : real(result, alignment, size);
}
}

// A sanitizer's operators do not come here by malloc().
void* operator new(std::size_t size) {
    static auto* const real = next<void*(std::size_t)>("_Znwm");
    if (fails()) { throw std::bad_alloc(); }
    return call(real, size);
}

void* operator new[](std::size_t size) {
    static auto* const real = next<void*(std::size_t)>("_Znam");
    if (fails()) { throw std::bad_alloc(); }
    return call(real, size);
}

void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    static auto* const real = next<void*(std::size_t, const std::nothrow_t&)>("_ZnwmRKSt9nothrow_t");
    return fails() ? nullptr
                   : call<void*(std::size_t, const std::nothrow_t&), std::size_t, const std::nothrow_t&>(real, size,
                                                                                                         std::nothrow);
}
