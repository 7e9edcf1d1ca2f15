"""What plays a Redis that a real one can't play: each command read, each answer sent, when the test says so.

    r = FakeRedis("fake.sock")            # `ws_redis unix:$TEST_DIR/fake.sock` in the configuration
    s = r.accept()                        # the gateway's login done
    s.expect("GET", "session:abc")
    s.bulk("{}")
"""

from expectation import equal
from listener import listen_unix
from octets import to_bytes
from stream import Stream


class Session(Stream):
    """One connection of the gateway."""

    name = "redis"

    def command(self):
        """The next command's words."""
        count = self.recv_until(b"\r\n")
        equal(count[:1], b"*", "redis: a command")
        words = []
        for _ in range(int(count[1:])):
            size = int(self.recv_until(b"\r\n")[1:])
            words.append(self.recv_exact(size + 2)[:-2].decode())
        return words

    def expect(self, *words):
        equal(self.command(), list(words), "redis: command")

    def login(self):
        self.expect("PING")
        self.send("+PONG\r\n")
        return self

    def tracked_login(self, receiver):
        self.expect("CLIENT", "TRACKING", "ON", "REDIRECT", str(receiver))
        self.expect("PING")
        self.send("+OK\r\n+PONG\r\n")
        return self

    def answer_receiver(self, id):
        """Its CLIENT ID has been read."""
        self.expect("SUBSCRIBE", "__redis__:invalidate")
        self.send(f":{id}\r\n*3\r\n$9\r\nsubscribe\r\n$20\r\n__redis__:invalidate\r\n:1\r\n")

    def live_session(self, key, text):
        """Is asked for a session and, in one go, how long it has to live: for ever."""
        self.expect("GET", key)
        self.expect("PTTL", key)
        self.bulk(text)
        self.send(":-1\r\n")

    def bulk(self, text):
        data = to_bytes(text)
        self.send(b"$%d\r\n%s\r\n" % (len(data), data))


class FakeRedis:
    def __init__(self, name):
        self.listener = listen_unix(name)

    def connection(self):
        """The next connection, before its login."""
        return Session(self.listener.accept_stream().sock)

    def receiver(self, id):
        """The next connection, which is the one for reports."""
        session = self.connection()
        session.expect("CLIENT", "ID")
        session.answer_receiver(id)
        return session

    def accept(self):
        return self.connection().login()
