"""What plays a Redis that a real one can't play: each command read, each answer sent, when the test says so.

    r = FakeRedis("fake.sock")            # `ws_redis unix:$TEST_DIR/fake.sock` in the configuration
    s = r.accept()                        # the gateway's login done
    s.expect("GET", "session:abc")
    s.bulk("{}")
"""

import wire


class Session(wire.Stream):
    """One connection of the gateway."""

    name = "redis"

    def command(self):
        """The next command's words."""
        count = self.recv_until(b"\r\n")
        wire.equal(count[:1], b"*", "redis: a command")
        words = []
        for _ in range(int(count[1:])):
            size = int(self.recv_until(b"\r\n")[1:])
            words.append(self.recv_exact(size + 2)[:-2].decode())
        return words

    def expect(self, *words):
        wire.equal(self.command(), list(words), "redis: command")

    def login(self):
        self.expect("PING")
        self.send("+PONG\r\n")
        return self

    def bulk(self, text):
        data = wire.to_bytes(text)
        self.send(b"$%d\r\n%s\r\n" % (len(data), data))


class FakeRedis:
    def __init__(self, name):
        self.listener = wire.listen_unix(name)

    def connection(self):
        """The next connection, before its login."""
        return Session(self.listener.accept_stream().sock)

    def accept(self):
        return self.connection().login()
