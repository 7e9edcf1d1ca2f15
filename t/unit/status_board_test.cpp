// The board: one slot for each process, found out as gone however it went, and sums that never go down.
#include "status/board.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <vector>

#include "cmocka.hpp"

using ws::status::Board;
using ws::status::Counters;
using ws::status::Totals;

namespace {

Board* board;

int make_board(void**) {
    void* memory = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) { return -1; }
    board = Board::create(memory);
    return board != nullptr ? 0 : -1;
}

int drop_board(void**) { return munmap(board, sizeof(Board)); }

// A process that joins, opens connections, and waits to be killed or, when a byte comes, leaves.
class Child {
public:
    explicit Child(int connections) {
        int ready[2];
        int go[2];
        assert_int_equal(pipe(ready), 0);
        assert_int_equal(pipe(go), 0);
        pid_ = fork();
        if (pid_ == 0) {
            char byte = 0;
            Counters* counters = board->join();
            if (counters == nullptr) { _exit(1); }
            counters->open[0].add(connections);
            counters->opened[0].add(static_cast<std::uint64_t>(connections));
            counters->http_in_flight.set(connections);
            counters->redis[0].state.set(1);
            if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1) { _exit(1); }
            counters->open[0].set(0);
            counters->http_in_flight.set(0);
            board->leave(*counters);
            _exit(0);
        }
        char byte = 0;
        assert_int_equal(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        close(ready[1]);
        close(go[0]);
        go_ = go[1];
    }

    void leave() const {
        assert_int_equal(write(go_, "", 1), 1);
        wait_for();
    }

    void kill() const {
        ::kill(pid_, SIGKILL);
        wait_for();
    }

private:
    void wait_for() const {
        int status = 0;
        assert_int_equal(waitpid(pid_, &status, 0), pid_);
        close(go_);
    }

    pid_t pid_;
    int go_;
};

void a_new_board_has_nothing(void**) {
    const Totals totals = board->read();
    assert_int_equal(totals.workers, 0);
    assert_int_equal(totals.open[0], 0);
    for (const auto& server : totals.servers) { assert_true(server.empty()); }
}

void workers_are_summed_up(void**) {
    const Child one(3);
    const Child two(4);
    Totals totals = board->read();
    assert_int_equal(totals.workers, 2);
    assert_int_equal(totals.open[0], 7);
    assert_int_equal(totals.redis_workers[0].up, 2);
    one.leave();
    totals = board->read();
    assert_int_equal(totals.workers, 1);
    assert_int_equal(totals.open[0], 4);
    assert_int_equal(totals.opened[0], 7);
    two.leave();
    totals = board->read();
    assert_int_equal(totals.workers, 0);
    assert_int_equal(totals.workers_lost, 0);
    assert_int_equal(totals.connections_lost, 0);
    assert_int_equal(totals.opened[0], 7);
}

void a_killed_worker_has_nothing_open(void**) {
    const Child one(3);
    const Child two(4);
    one.kill();
    for (int n = 0; n < 2; ++n) {
        const Totals totals = board->read();
        assert_int_equal(totals.workers, 1);
        assert_int_equal(totals.workers_lost, 1);
        assert_int_equal(totals.open[0], 4);
        assert_int_equal(totals.opened[0], 7);
        assert_int_equal(totals.connections_lost, 3);
        assert_int_equal(totals.http_in_flight, 4);
        assert_int_equal(totals.redis_workers[0].up, 1);
    }
    two.leave();
}

void the_next_worker_counts_on_in_a_killed_ones_slot(void**) {
    const Child one(3);
    one.kill();
    const Child two(4);  // before anybody has read
    const Totals totals = board->read();
    assert_int_equal(totals.workers, 1);
    assert_int_equal(totals.workers_lost, 1);
    assert_int_equal(totals.open[0], 4);
    assert_int_equal(totals.opened[0], 7);
    assert_int_equal(totals.connections_lost, 3);
    two.leave();
    Counters* own = board->join();
    assert_non_null(own);
    assert_int_equal(own->opened[0].value(), 7);
    board->leave(*own);
}

void what_is_open_when_a_worker_leaves_is_lost(void**) {
    Counters* own = board->join();
    own->open[1].add(2);
    assert_int_equal(board->read().open[1], 2);
    board->leave(*own);
    const Totals totals = board->read();
    assert_int_equal(totals.open[1], 0);
    assert_int_equal(totals.connections_lost, 2);
    assert_int_equal(totals.workers_lost, 0);
}

void a_full_board_has_no_place_until_somebody_leaves(void**) {
    std::vector<Counters*> all;
    for (std::size_t n = 0; n < Board::max_workers; ++n) { all.push_back(board->join()); }
    assert_non_null(all.back());
    assert_null(board->join());
    assert_int_equal(board->read().workers, Board::max_workers);
    board->leave(*all[17]);
    assert_ptr_equal(board->join(), all[17]);
    for (Counters* counters : all) { board->leave(*counters); }
    assert_int_equal(board->read().workers, 0);
}

// Who changes what is in the memory has to say so: it is known again by its version.
void a_layout_has_its_version(void**) {
    assert_int_equal(ws::status::layout_version, 2);
    assert_int_equal(sizeof(ws::status::Counters), 1672);
    assert_int_equal(sizeof(Board), 1812224);
}

void servers_keep_their_numbers(void**) {
    assert_int_equal(board->server("127.0.0.1:6379"), 0);
    assert_int_equal(board->server("unix:/run/redis.sock"), 1);
    assert_int_equal(board->server("127.0.0.1:6379"), 0);
    assert_int_equal(board->server(std::string(200, 'x')), 2);
    assert_int_equal(board->server(std::string(200, 'x')), 2);
    const Totals totals = board->read();
    assert_string_equal(totals.servers[1].c_str(), "unix:/run/redis.sock");
    assert_int_equal(totals.servers[2].size(), 107);
    assert_true(totals.servers[3].empty());
}

void servers_beyond_the_last_place_share_it(void**) {
    for (std::size_t n = 0; n + 1 < ws::status::max_servers; ++n) {
        assert_int_equal(board->server("server" + std::to_string(n)), n);
    }
    assert_true(board->read().servers[ws::status::max_servers - 1].empty());
    assert_int_equal(board->server("one more"), ws::status::max_servers - 1);
    assert_int_equal(board->server("and another"), ws::status::max_servers - 1);
    assert_string_equal(board->read().servers[ws::status::max_servers - 1].c_str(), "other");
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_board_has_nothing, make_board, drop_board),
        cmocka_unit_test_setup_teardown(workers_are_summed_up, make_board, drop_board),
        cmocka_unit_test_setup_teardown(a_killed_worker_has_nothing_open, make_board, drop_board),
        cmocka_unit_test_setup_teardown(the_next_worker_counts_on_in_a_killed_ones_slot, make_board, drop_board),
        cmocka_unit_test_setup_teardown(what_is_open_when_a_worker_leaves_is_lost, make_board, drop_board),
        cmocka_unit_test_setup_teardown(a_full_board_has_no_place_until_somebody_leaves, make_board, drop_board),
        cmocka_unit_test(a_layout_has_its_version),
        cmocka_unit_test_setup_teardown(servers_keep_their_numbers, make_board, drop_board),
        cmocka_unit_test_setup_teardown(servers_beyond_the_last_place_share_it, make_board, drop_board),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
