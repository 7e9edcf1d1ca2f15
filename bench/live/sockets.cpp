// Many WebSockets through the gateway and what their sessions' ends cost: this is their clients, their backend, the one who
// logs out, and a stranger who asks the same worker for something all the while.
//
//     sockets GATEWAY_PORT BACKEND_PORT REDIS_SOCKET SOCKETS SESSIONS SINGLE
//
// Opens SOCKETS, deletes SINGLE of the sessions one after the other, then all that are left at once. Each line of the output is
// "name value..."; after "open" it waits for a line of input, so that somebody can look at the gateway meanwhile.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int at_a_time = 256;  // handshakes
constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view accepted =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
constexpr std::string_view nothing = "HTTP/1.1 204 No Content\r\n\r\n";  // to an event of http delivery

[[noreturn]] void die(const std::string& what) {
    std::fprintf(stderr, "sockets: %s: %s\n", what.c_str(), std::strerror(errno));
    std::exit(1);
}

sockaddr_in local(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int dial(int port, bool blocking) {
    const int fd = socket(AF_INET, SOCK_STREAM | (blocking ? 0 : SOCK_NONBLOCK), 0);
    const sockaddr_in address = local(port);
    if (fd < 0) { die("socket"); }
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 && errno != EINPROGRESS) {
        die("connect");
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

void send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) { die("send"); }
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

double milliseconds(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

void print(const char* name, std::vector<double> times) {
    if (times.empty()) { return; }
    std::sort(times.begin(), times.end());
    const auto at = [&times](double share) {
        return times[static_cast<std::size_t>(share * static_cast<double>(times.size() - 1))];
    };
    std::printf("%s %zu %.3f %.3f %.3f\n", name, times.size(), at(0.50), at(0.99), times.back());
    std::fflush(stdout);
}

// Is a close frame among these? They are masked, and shorter than 64 KiB.
bool has_close(std::string_view frames) {
    while (frames.size() >= 2) {
        if ((frames[0] & 0xf) == 8) { return true; }
        const auto byte = [&frames](std::size_t at) -> std::size_t { return static_cast<unsigned char>(frames[at]); };
        std::size_t size = byte(1) & 0x7f;
        if (size == 126 && frames.size() >= 4) { size = 2 + (byte(2) << 8 | byte(3)); }
        frames.remove_prefix(std::min(frames.size(), 2 + 4 + size));
    }
    return false;
}

std::string_view answer_to(std::string_view bytes) {
    constexpr std::string_view bye("\x88\x00", 2);
    switch (bytes[0]) {
        case 'G': return accepted;
        case 'P': return nothing;
        case '{': return {};  // what a POST has left
        default: return has_close(bytes) ? bye : std::string_view{};
    }
}

// Accepts every upgrade and event, and ends a connection when the gateway does.
[[noreturn]] void be_backend(int listener) {
    const int poll = epoll_create1(0);
    epoll_event event{EPOLLIN, {.fd = listener}};
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    std::vector<epoll_event> events(512);
    for (;;) {
        const int n = epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < n; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            if (fd == listener) {
                const int client = accept(listener, nullptr, nullptr);
                if (client < 0) { continue; }
                epoll_event more{EPOLLIN, {.fd = client}};
                epoll_ctl(poll, EPOLL_CTL_ADD, client, &more);
                continue;
            }
            char buffer[4096];
            const ssize_t size = recv(fd, buffer, sizeof(buffer), 0);
            if (size <= 0) {
                close(fd);
                continue;
            }
            const std::string_view answer = answer_to({buffer, static_cast<std::size_t>(size)});
            (void)!send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
        }
    }
}

// What the stranger has seen, in memory shared with him.
struct Probe {
    static constexpr std::size_t most = 1 << 20;
    std::atomic<bool> over;
    std::atomic<std::size_t> count;
    double times[most];
};

// Asks for something small again and again: the worker's event loop answers no later than its longest step lets it.
[[noreturn]] void be_stranger(int port, Probe& probe) {
    constexpr std::string_view request = "GET /stranger HTTP/1.1\r\nHost: localhost\r\n\r\n";
    const int fd = dial(port, true);
    char buffer[4096];
    for (;;) {
        const auto begin = Clock::now();
        send_all(fd, request);
        if (recv(fd, buffer, sizeof(buffer), 0) <= 0) { std::exit(0); }
        const std::size_t place = probe.count % Probe::most;
        probe.times[place] = milliseconds(Clock::now() - begin);
        ++probe.count;
        usleep(300);
    }
}

class Redis {
public:
    explicit Redis(const char* path) : fd_(socket(AF_UNIX, SOCK_STREAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
        if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) { die(path); }
    }
    void send(std::string_view text) const { send_all(fd_, text); }
    void skip_replies(std::size_t count) const {
        char buffer[65536];
        while (count > 0) {
            const ssize_t n = recv(fd_, buffer, sizeof(buffer), 0);
            if (n <= 0) { die("Redis"); }
            count -= std::min(count, static_cast<std::size_t>(std::count(buffer, buffer + n, '\n')));
        }
    }

private:
    int fd_;
};

std::string session_key(int number) { return "session:" + std::to_string(number); }

class Clients {
public:
    Clients(int port, int sockets, int sessions)
        : port_(port), sessions_(sessions), all_(static_cast<std::size_t>(sockets)) {}

    void open() {
        while (open_ < all_.size()) {
            while (begun_ < all_.size() && begun_ - open_ < at_a_time) { begin(begun_++); }
            poll();
        }
    }
    // Until so many have been closed; when, after `since`, goes to `times`.
    void wait_closed(std::size_t count, Clock::time_point since, std::vector<double>& times) {
        while (closed_ < count) { poll(); }
        for (const auto at : closes_) { times.push_back(milliseconds(at - since)); }
        closes_.clear();
    }
    [[nodiscard]] std::size_t closed() const { return closed_; }
    [[nodiscard]] std::size_t of_session(int session) const {
        const auto count = static_cast<int>(all_.size());
        return static_cast<std::size_t>(count / sessions_ + (session < count % sessions_ ? 1 : 0));
    }

private:
    enum class State { connecting, asking, open, closed };
    struct Socket {
        int fd = -1;
        State state = State::connecting;
    };

    void begin(std::size_t number) {
        all_[number].fd = dial(port_, false);
        epoll_event event{EPOLLIN | EPOLLOUT | EPOLLET, {.u64 = number}};
        epoll_ctl(poll_, EPOLL_CTL_ADD, all_[number].fd, &event);
    }

    void poll() {
        epoll_event events[512];
        const int n = epoll_wait(poll_, events, 512, 30000);
        if (n <= 0) {
            std::fprintf(stderr, "sockets: nothing for 30 s, %zu open, %zu closed\n", open_, closed_);
            std::exit(1);
        }
        for (int i = 0; i < n; ++i) { step(events[i].data.u64); }
    }

    void step(std::size_t number) {
        Socket& socket = all_[number];
        if (socket.state == State::connecting) {
            const std::string request =
                "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
                std::string(key) + "\r\nCookie: t=" + std::to_string(number % static_cast<std::size_t>(sessions_)) +
                "\r\n\r\n";
            socket.state = State::asking;
            send_all(socket.fd, request);
        }
        char buffer[4096];
        for (;;) {
            const ssize_t size = recv(socket.fd, buffer, sizeof(buffer), 0);
            if (size < 0 && errno == EAGAIN) { return; }
            if (size <= 0) { return end(socket); }
            take(socket, std::string_view(buffer, static_cast<std::size_t>(size)));
        }
    }

    void take(Socket& socket, std::string_view bytes) {
        if (socket.state == State::asking) {
            if (!bytes.starts_with("HTTP/1.1 101")) {
                std::fprintf(stderr, "sockets: an upgrade was answered %.*s\n", 40, bytes.data());
                std::exit(1);
            }
            socket.state = State::open;
            ++open_;
            return;
        }
        constexpr std::string_view ended = "\x88\x0f\x11\x31session ended";  // 4401
        if (socket.state != State::open || !bytes.starts_with(ended)) { return; }
        socket.state = State::closed;
        closes_.push_back(Clock::now());
        ++closed_;
        constexpr char bye[] = {'\x88', '\x82', 0, 0, 0, 0, '\x11', '\x31'};
        (void)!send(socket.fd, bye, sizeof(bye), MSG_NOSIGNAL);
    }

    void end(Socket& socket) {
        if (socket.state != State::closed) {
            std::fprintf(stderr, "sockets: a connection ended without 4401\n");
            std::exit(1);
        }
        close(socket.fd);
    }

    int port_;
    int sessions_;
    int poll_ = epoll_create1(0);
    std::vector<Socket> all_;
    std::size_t begun_ = 0;
    std::size_t open_ = 0;
    std::size_t closed_ = 0;
    std::vector<Clock::time_point> closes_;
};

int listen_at(int port) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    const sockaddr_in address = local(port);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 || listen(fd, 4096) != 0) {
        die("listen");
    }
    return fd;
}

template <class Be>
void in_child(Be be) {
    if (fork() != 0) { return; }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    be();
}

std::vector<double> seen_by(const Probe& probe, std::size_t from) {
    const std::size_t to = std::min<std::size_t>(probe.count, Probe::most);
    return {probe.times + std::min(from, to), probe.times + to};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 7) { return 2; }
    const int port = std::atoi(argv[1]);
    const int sockets = std::atoi(argv[4]);
    const int sessions = std::atoi(argv[5]);
    const int single = std::atoi(argv[6]);
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);

    const int listener = listen_at(std::atoi(argv[2]));
    in_child([listener] { be_backend(listener); });
    close(listener);
    auto* probe =
        static_cast<Probe*>(mmap(nullptr, sizeof(Probe), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    in_child([port, probe] { be_stranger(port, *probe); });

    const Redis redis(argv[3]);
    Clients clients(port, sockets, sessions);
    const auto begin = Clock::now();
    clients.open();
    std::printf("open %d %.0f\n", sockets, milliseconds(Clock::now() - begin));
    std::fflush(stdout);
    if (std::getchar() == EOF) { return 1; }

    sleep(1);
    const std::size_t quiet = probe->count;
    sleep(3);
    print("stranger_idle", seen_by(*probe, quiet));

    std::vector<double> times;
    std::size_t expected = 0;
    for (int session = 0; session < single; ++session) {
        expected += clients.of_session(session);
        const auto since = Clock::now();
        redis.send("DEL " + session_key(session) + "\r\n");
        clients.wait_closed(expected, since, times);
        redis.skip_replies(1);
        usleep(2000);
    }
    print("close_single", times);

    std::string all;
    for (int session = single; session < sessions; ++session) { all += "DEL " + session_key(session) + "\r\n"; }
    times.clear();
    const std::size_t busy = probe->count;
    const auto since = Clock::now();
    redis.send(all);
    clients.wait_closed(static_cast<std::size_t>(sockets), since, times);
    const double took = milliseconds(Clock::now() - since);
    print("close_all", times);
    print("stranger_logout", seen_by(*probe, busy));
    std::printf("took %.0f\n", took);
}
