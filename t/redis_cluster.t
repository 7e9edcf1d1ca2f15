# A Redis Cluster: each command goes to the node that serves its key, wherever that is.
use lib 't/lib';
use Test::Gateway;

run_tests();

__DATA__

=== TEST 1: sessions of all nodes are read, live, and renewed; commands go to the right node at once
--- redis_cluster
--- config
ws_redis redis+cluster://127.0.0.1:$TEST_CLOSED_PORT,$TEST_REDIS_CLUSTER;
ws_auth_token cookie:sid;
location / { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
location /touch { ws_auth redis; ws_auth_touch 60s interval=100ms; ws_pass http://$TEST_BACKEND; }
--- client
from redis_group import cluster, nodes
cluster.form()
tokens = {node.name: cluster.key_of(node) for node in nodes.values()}
sockets = []
for name, token in tokens.items():
    nodes[name]("SET", f"session:{token}", '{"user":"ann"}', "PX", 30000)
    c, b = tunnel("/", cookie=f"sid={token}")
    matches(b.recv_text(), '"event":"open".*"ann"')
    sockets.append((nodes[name], token, c, b))
    equal(client("/", cookie=f"sid=x{token}").status, 401)
for node, token, c, b in sockets:
    node("SET", f"session:{token}", '{"user":"bob"}', "PX", 30000)
    matches(b.recv_text(), '"event":"context".*"bob"')
    touched, _ = tunnel("/touch", cookie=f"sid={token}")
    wait_until(lambda: node("PTTL", f"session:{token}") > 50000, "renewed")
    node("DEL", f"session:{token}")
    c.expect_close(4401, "session ended")
    touched.expect_close(4401, "session ended")
for node in nodes.values():
    check("errorstat_MOVED" not in node("INFO", "errorstats"), "no detour")
equal(nginx.error_log().count("unreachable"), 1)

=== TEST 2: a slot moves to another node while its sessions are in use: nobody is refused, and reports come from there
--- redis_cluster
--- config
ws_redis redis+cluster://$TEST_REDIS_CLUSTER;
ws_auth_token cookie:sid;
ws_auth_key "{all}:$ws_token";
location / { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
from redis_group import cluster, nodes
cluster.form()
slot = nodes["node1"]("CLUSTER", "KEYSLOT", "{all}")
source = cluster.owner("{all}:0")
target = next(node for node in nodes.values() if node is not source)
sockets = []
for i in range(20):
    source("SET", "{all}:%d" % i, '{"user":%d}' % i)
    sockets.append(tunnel("/", cookie=f"sid={i}"))
upgrades = 0
for _ in cluster.migrate(slot, source, target):
    for i in (0, 7, 19):
        c, b = tunnel("/", cookie=f"sid={i}")
        matches(b.recv_text(), '"event":"open".*{"user":%d}' % i)
        c.close()
        upgrades += 1
equal(upgrades, 63)
for i in (0, 7, 19):
    c, b = tunnel("/", cookie=f"sid={i}")
    c.close()
for i, (c, b) in enumerate(sockets):
    target("DEL", "{all}:%d" % i)
    c.expect_close(4401, "session ended")
check("errorstat_ASK" in source("INFO", "errorstats"), "an ASK was followed")
check("errorstat_MOVED" in source("INFO", "errorstats"), "a MOVED was followed")
--- no_error_log
refused 503
unreachable

=== TEST 3: a node that is gone: its sessions can't be read, those of the others can
--- redis_cluster
--cluster-require-full-coverage no --cluster-node-timeout 60000
--- config
ws_redis redis+cluster://$TEST_REDIS_CLUSTER timeout=300ms connect_timeout=300ms;
ws_auth_token cookie:sid;
location / { ws_auth redis; ws_pass http://$TEST_BACKEND; }
--- client
from redis_group import cluster, kill, nodes
cluster.form()
tokens = {node.name: cluster.key_of(node) for node in nodes.values()}
pairs = {}
for name, token in tokens.items():
    nodes[name]("SET", f"session:{token}", '{"user":"ann"}')
    pairs[name] = tunnel("/", cookie=f"sid={token}")
kill(nodes["node2"])
for _ in range(5):
    equal(client("/", cookie="sid=" + tokens["node2"]).status, 503)
for name in ("node1", "node3"):
    tunnel("/", cookie="sid=" + tokens[name])
    nodes[name]("DEL", "session:" + tokens[name])
    pairs[name][0].expect_close(4401, "session ended")
c, b = pairs["node2"]
c.send_text("still here")
b.expect_text("still here")
equal(nginx.error_log().count("unreachable"), 1)

=== TEST 4: nodes that are no cluster yet: 503, one line in the log; then they are
--- redis_cluster
--- config
ws_redis redis+cluster://$TEST_REDIS_CLUSTER;
ws_auth_token cookie:sid;
location / { ws_auth redis; ws_pass http://$TEST_BACKEND; }
--- client
from redis_group import cluster, nodes
for _ in range(5):
    equal(client("/", cookie="sid=a").status, 503)
equal(nginx.error_log().count("no node knows the cluster's slots"), 1)
cluster.form()
nginx.wait_log("redis cluster .* is back, [0-9]+ requests refused meanwhile")
wait_until(lambda: client("/", cookie="sid=a").status == 401, "the key's slot is served")
cluster("SET", "session:a", '{"user":"ann"}')
c, b = tunnel("/", cookie="sid=a")
cluster("DEL", "session:a")
c.expect_close(4401, "session ended")

=== TEST 5: a node dies, and its replica takes over: its sessions go on, live
--- redis_cluster
4 --cluster-node-timeout 1000 --repl-diskless-sync-delay 0
--- config
ws_redis redis+cluster://$TEST_REDIS_CLUSTER timeout=300ms connect_timeout=300ms;
ws_auth_token cookie:sid;
location / { ws_auth redis; ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
from redis_group import cluster, kill, nodes
cluster.form()
master, replica = nodes["node1"], nodes["node4"]
mine, gone = cluster.key_of(master), cluster.key_of(master, "session:x{}")
other = cluster.key_of(nodes["node2"])
for node, token in (master, mine), (nodes["node2"], other):
    node("SET", f"session:{token}", '{"user":"ann"}')
equal(master("WAIT", 1, 10000), 1)
a, ba = tunnel("/", cookie=f"sid={mine}")
b, bb = tunnel("/", cookie=f"sid={other}")
ba.recv_text(), bb.recv_text()

kill(master)
equal(client("/", cookie=f"sid={mine}").status, 503)
wait_until(lambda: "role:master" in replica("INFO", "replication"), "the replica is a master")
wait_until(lambda: client("/", cookie=f"sid=x{gone}").status == 401, "sessions are read from it")
c, bc = tunnel("/", cookie=f"sid={mine}")
replica("SET", f"session:{mine}", '{"user":"amy"}')
matches(ba.recv_text(), '"event":"context".*"amy"')
replica("DEL", f"session:{mine}")
a.expect_close(4401, "session ended")
nodes["node2"]("SET", f"session:{other}", '{"user":"bob"}')
matches(bb.recv_text(), '"event":"context".*"bob"')
equal(nginx.error_log().count("unreachable"), 1)

=== TEST 6: by TLS, nodes that announce their addresses
--- redis_cluster
--- redis_tls: --tls-auth-clients no
--- config
ws_redis rediss+cluster://$TEST_REDIS_CLUSTER ssl_trusted_certificate=$TEST_CERTIFICATES/ca.pem;
ws_auth_token cookie:sid;
location / { ws_auth redis; ws_pass http://$TEST_BACKEND; }
location /stranger {
    ws_redis rediss+cluster://$TEST_REDIS_CLUSTER ssl_trusted_certificate=$TEST_CERTIFICATES/stranger.pem;
    ws_auth redis;
    ws_pass http://$TEST_BACKEND;
}
--- client
from redis_group import cluster, nodes
cluster.form()
tokens = {node.name: cluster.key_of(node) for node in nodes.values()}
for name, token in tokens.items():
    nodes[name]("SET", f"session:{token}", '{"user":"ann"}')
    c, b = tunnel("/", cookie=f"sid={token}")
    nodes[name]("DEL", f"session:{token}")
    c.expect_close(4401, "session ended")
    equal(client("/stranger", cookie=f"sid={token}").status, 503)
equal(nginx.error_log().count("certificate refused"), 3)
equal(nginx.error_log().count("no node knows the cluster's slots"), 1)

=== TEST 7: why nobody tells which node serves what: the log has it
--- redis_cluster
--- config
ws_auth_token cookie:sid;
location / {
    ws_redis redis+cluster://gateway:s3cret@$TEST_REDIS_CLUSTER;
    ws_auth redis;
    ws_pass http://$TEST_BACKEND;
}
--- client
from redis_group import nodes
for node in nodes.values():
    node("ACL", "SETUSER", "gateway", "on", ">s3cret", "~session:*", "+get", "+ping")
for _ in range(3):
    equal(client("/", cookie="sid=a").status, 503)
equal(nginx.error_log().count("no node knows the cluster's slots"), 1)
--- error_log
qr/\[error\] .* ws: redis cluster .*: no node knows the cluster's slots \(NOPERM .*cluster\|slots/
--- no_error_log
s3cret

=== TEST 8: a server that is no cluster, and no sentinel
--- redis
SET session:a {}
--- config
ws_auth_token cookie:sid;
location / { ws_auth redis; ws_redis redis+cluster://127.0.0.1:$TEST_REDIS_PORT; ws_pass http://$TEST_BACKEND; }
location /sentinel { ws_auth redis; ws_redis redis+sentinel://127.0.0.1:$TEST_REDIS_PORT/main; ws_pass http://$TEST_BACKEND; }
--- client
for path in "/", "/sentinel":
    equal(client(path, cookie="sid=a").status, 503)
--- error_log
no node knows the cluster's slots (ERR This instance has cluster support disabled)
qr/redis main: no sentinel knows the master \(ERR unknown command .SENTINEL/

=== TEST 9: a cluster has no databases
--- config
ws_redis redis+cluster://127.0.0.1,127.0.0.2/1;
--- must_die
--- error_log
"ws_redis" directive a cluster has no databases: redis+cluster://host:port,host:port

=== TEST 10: several hosts are no server
--- config
ws_redis redis://127.0.0.1,127.0.0.2;
--- must_die
--- error_log
"ws_redis" directive several hosts are for redis+sentinel:// and redis+cluster://
