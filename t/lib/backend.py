"""The backend behind the gateway."""

import os
import socket

from background import in_thread, note_failure
from expectation import Failure
from frame import CLOSE, PING, PONG
from handshake import accept_key
from http_head import Head, parse_head
from listener import Listener
from octets import to_bytes
from websocket import WebSocket


class BackendConnection(WebSocket, Head):
    """A connection from the gateway, its request's head read: method, uri, headers, raw_head."""

    name = "backend"
    ends_at_eof = False

    def read_request(self):
        self.raw_head = self.recv_until(b"\r\n\r\n")
        line, self.headers = parse_head(self.raw_head)
        self.method, self.uri, self.protocol = line.split(" ")
        return self

    def read_body(self):
        return self._read_body()

    def next_body(self):
        """The body of the next request on this connection."""
        return self.read_request().read_body()

    def upgrade(self, headers=(), accept=None, status="101 Switching Protocols", then=b""):
        """Answers the upgrade; `then` goes out in the same write as the head."""
        accept = accept_key(self.header("Sec-WebSocket-Key") or "") if accept is None else accept
        lines = [f"HTTP/1.1 {status}", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}"]
        lines += [entry if isinstance(entry, str) else f"{entry[0]}: {entry[1]}" for entry in headers]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + then)
        return self

    def respond(self, status="200 OK", headers=(), body=b""):
        """Answers as an ordinary HTTP server."""
        body = to_bytes(body)
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
        lines += [entry if isinstance(entry, str) else f"{entry[0]}: {entry[1]}" for entry in headers]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return self

    def respond_text(self, text):
        return self.respond(headers=["Content-Type: text/plain"], body=text)


class Backend(Listener):
    """The backend's listener, $TEST_BACKEND."""

    def accept(self, tls=False):
        stream = self.accept_stream()
        sock = stream.sock
        if tls:
            import ssl
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(os.environ["TEST_CERT"], os.environ["TEST_CERT_KEY"])
            sock = context.wrap_socket(sock, server_side=True)
        return BackendConnection(sock).read_request()

    def serve(self, function, may_leave=False):
        """From here on function(connection) runs in a thread for each connection, which its end closes.

        `may_leave`: the gateway may end a connection at any time.
        """
        self.sock.settimeout(None)

        def answer(connection):
            try:
                function(connection.read_request())
            except (Failure, OSError):
                if not may_leave:
                    raise

        def run(connection):
            # Noted before the connection ends: the script may be waiting for that only.
            note_failure(answer, connection)
            connection.close()

        def loop():
            while True:
                try:
                    sock = self.sock.accept()[0]
                except OSError:
                    return  # closed
                in_thread(run, BackendConnection(sock))
        in_thread(loop)

    def echo(self):
        """Accepts every upgrade and sends each message back, a close frame included."""
        def answer(connection):
            connection.upgrade()
            while True:
                opcode, payload = connection.recv_message()
                connection.send_frame(PONG if opcode == PING else opcode, payload)
                if opcode == CLOSE:
                    return connection.expect_eof()
        self.serve(answer)


backend = Backend(socket.socket(fileno=int(os.environ["TEST_BACKEND_FD"]))) if "TEST_BACKEND_FD" in os.environ else None
