# ws_control while the Redis by which its workers reach each other goes, comes back, or is another: nothing that is said is wrong, and it
# heals by itself.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: a Redis that is killed and started again
--- redis: none
--- workers: 3
--- timeout: 60
--- events
accept_mutex off;
--- config
listen 127.0.0.1:$TEST_TLS_PORT reuseport;
ws_redis unix:$TEST_DIR/faults.sock;
location /control { ws_control timeout=1s; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control, faults
redis = faults.Redis()
redis.start()
control.heard(lambda: redis.command, "ws:control", 3)
workers = control.Consulted(tunnel("/ws", port=TLS_PORT) for _ in range(30))
workers.until_whole()
for _ in range(2):
    redis.kill()
    check(workers.until(503) > 0, "it is told")
    redis.start()
    workers.until_whole()
workers.say_something()

=== TEST 2: the master that sentinels know is killed
--- redis_sentinels
--- workers: 3
--- timeout: 90
--- events
accept_mutex off;
--- config
listen 127.0.0.1:$TEST_TLS_PORT reuseport;
ws_redis redis+sentinel://$TEST_REDIS_SENTINELS/main timeout=300ms connect_timeout=300ms;
location /control { ws_control timeout=1s; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control
from redis_group import again, kill, nodes, replicated
control.heard(lambda: nodes["master"], "ws:control", 3)
workers = control.Consulted(tunnel("/ws", port=TLS_PORT) for _ in range(30))
workers.until_whole()
replicated()
kill(nodes["master"])
workers.until(503)
workers.until_whole(seconds=60)
equal(again(nodes["replica"])("PUBSUB", "NUMSUB", "ws:control")[1], 3)
workers.say_something()

=== TEST 3: the master steps down: all meet at the new one
--- redis_sentinels
--- workers: 3
--- timeout: 90
--- events
accept_mutex off;
--- config
listen 127.0.0.1:$TEST_TLS_PORT reuseport;
ws_redis redis+sentinel://$TEST_REDIS_SENTINELS/main;
location /control { ws_control timeout=1s; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control
from redis_group import again, nodes, replicated
control.heard(lambda: nodes["master"], "ws:control", 3)
workers = control.Consulted(tunnel("/ws", port=TLS_PORT) for _ in range(30))
workers.until_whole()
replicated()
nodes["sentinel1"]("SENTINEL", "FAILOVER", "main")
nginx.wait_log(r"redis main is 127\.0\.0\.1:%d now" % nodes["replica"].port)
control.heard(lambda: again(nodes["replica"]), "ws:control", 3)
workers.until_whole()
workers.say_something()

=== TEST 4: the node of a cluster at which all meet dies before anybody has asked anything: they meet at its replica
--- redis_cluster
4 --cluster-node-timeout 1000 --repl-diskless-sync-delay 0
--- workers: 3
--- timeout: 90
--- events
accept_mutex off;
--- config
listen 127.0.0.1:$TEST_TLS_PORT reuseport;
ws_redis redis+cluster://$TEST_REDIS_CLUSTER timeout=300ms connect_timeout=300ms;
location /control { ws_control channel=ws:d timeout=1s; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control
from redis_group import cluster, kill, nodes
cluster.form()
check(cluster.owner("ws:d") is nodes["node1"], "it has a replica")
control.heard(lambda: nodes["node1"], "ws:d", 3)
workers = control.Consulted(tunnel("/ws", port=TLS_PORT) for _ in range(30))
kill(nodes["node1"])
wait_until(lambda: "role:master" in nodes["node4"]("INFO", "replication"), "the replica is a master")
control.heard(lambda: nodes["node4"], "ws:d", 3)
workers.until_whole()
workers.say_something()

=== TEST 5: the slot at which all meet moves to another node: so do they
--- redis_cluster
--- workers: 3
--- timeout: 90
--- events
accept_mutex off;
--- config
listen 127.0.0.1:$TEST_TLS_PORT reuseport;
ws_redis redis+cluster://$TEST_REDIS_CLUSTER;
location /control { ws_control channel=ws:d timeout=1s; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control
from redis_group import cluster, nodes
cluster.form()
control.heard(lambda: nodes["node1"], "ws:d", 3)
workers = control.Consulted(tunnel("/ws", port=TLS_PORT) for _ in range(30))
workers.until_whole()
for _ in cluster.migrate(nodes["node1"]("CLUSTER", "KEYSLOT", "ws:d"), nodes["node1"], nodes["node2"]):
    pass
control.heard(lambda: nodes["node2"], "ws:d", 3)
equal(nodes["node1"]("PUBSUB", "NUMSUB", "ws:d")[1], 0)
workers.until_whole()
workers.say_something()

=== TEST 6: Redis hangs while it is asked: 504, and what this worker has is reached all the same
--- redis_own
--- timeout: 60
--- config
ws_redis $TEST_REDIS timeout=10s;
location /control { ws_control timeout=300ms; }
location /ws { ws_pass http://$TEST_BACKEND; }
--- client
import control
control.ready()
c, b = tunnel("/ws")
id = b.header("X-WS-Connection-Id")
redis.stop()
for path in "/connections", "/connections/" + "0" * 32:
    answer = control.call("GET", path)
    equal((answer.status, answer.body["detail"]), (504, "Redis has not taken the question in time"))
equal(control.send(id, "here").status, 202)
c.expect_text("here")
redis.resume()
wait_until(lambda: control.call("GET", "/connections").status == 200, "it answers again")
