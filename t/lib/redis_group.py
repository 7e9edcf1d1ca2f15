"""The redis-servers of a block with `--- redis_cluster` or `--- redis_sentinels`.

    from redis_group import nodes, cluster
    nodes["master"]("SET", "a", "1")
    cluster.form()
    cluster("SET", "session:a", "{}")      # at the node that serves the key
"""

import os
import re
import signal

from expectation import equal, fail, wait_until
from process import running
from redis_client import Redis


def _node(text):
    name, port, pid, socket = text.split("=")
    node = Redis(socket)
    node.name, node.port, node.pid = name, int(port), int(pid)
    return node


nodes = {node.name: node for node in map(_node, os.environ["TEST_REDIS_GROUP"].split())}


def replicated():
    """The replica has all, and each sentinel has seen the others and it."""
    for name, node in nodes.items():
        if name.startswith("sentinel"):
            wait_until(lambda: "status=ok,address=" in node("INFO", "sentinel")
                            and re.search(r"slaves=1,sentinels=3", node("INFO", "sentinel")), f"{name} knows everybody")


def offset():
    found = re.search(r"master_repl_offset:(\d+)", nodes["master"]("INFO", "replication"))
    return int(found[1])


def copied():
    """What was written to the master is at the replica."""
    wait_until(lambda: f"slave_repl_offset:{offset()}" in nodes["replica"]("INFO", "replication"), "the replica has it")


def again(node):
    """A sentinel that changes a server's role cuts off all its clients, the test too."""
    node.stream = None
    return node


class Cluster:
    def form(self):
        """Gives each of the first three nodes a third of the slots, and has them meet; the others become the first one's replicas."""
        members = list(nodes.values())
        for i, node in enumerate(members[:3]):
            node("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
            node("CLUSTER", "ADDSLOTSRANGE", 16384 * i // 3, 16384 * (i + 1) // 3 - 1)
        for node in members[1:]:
            bus = members[0]("CONFIG", "GET", "cluster-port")[1]
            node("CLUSTER", "MEET", "127.0.0.1", members[0].port, bus)
        for node in members:
            wait_until(lambda: "cluster_state:ok" in node("CLUSTER", "INFO")
                            and node("CLUSTER", "NODES").count(" connected ") >= len(members) - 1
                            and len(node("CLUSTER", "SLOTS")) == 3, f"{node.name} is part of the cluster")
        for node in members[3:]:
            equal(node("CLUSTER", "REPLICATE", members[0]("CLUSTER", "MYID")), "OK")
            wait_until(lambda: "master_link_status:up" in node("INFO", "replication"), f"{node.name} is a replica")

    def owner(self, key):
        """The node that serves the key."""
        slot = next(iter(nodes.values()))("CLUSTER", "KEYSLOT", key)
        for first, last, master, *_ in next(iter(nodes.values()))("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(node for node in nodes.values() if node.port == master[1])
        return fail(f"nobody serves {key}")

    def __call__(self, *words):
        return self.owner(words[1])(*words)

    def key_of(self, node, name="session:{}"):
        """A token whose session belongs to that node."""
        return next(token for token in map(str, range(10000)) if self.owner(name.format(token)) is node)

    def migrate(self, slot, source, target):
        """Yields before each key that moves, and before the slot does."""
        source_id, target_id = source("CLUSTER", "MYID"), target("CLUSTER", "MYID")
        target("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
        source("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
        for key in source("CLUSTER", "GETKEYSINSLOT", slot, 10000):
            yield
            equal(source("MIGRATE", "127.0.0.1", target.port, key, 0, 5000), "OK")
        yield
        for node in (target, source, *nodes.values()):
            node("CLUSTER", "SETSLOT", slot, "NODE", target_id)


cluster = Cluster()


def kill(node):
    os.kill(node.pid, signal.SIGKILL)
    wait_until(lambda: not running(node.pid), f"{node.name} is gone")
