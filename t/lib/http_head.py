"""Heads of HTTP requests and responses, and the bodies that they announce."""

from expectation import check


def parse_head(raw):
    """First line and (name, value) pairs of an HTTP head."""
    lines = raw.decode("latin-1").split("\r\n")
    pairs = []
    for line in lines[1:]:
        if line:
            name, _, value = line.partition(":")
            pairs.append((name, value.strip()))
    return lines[0], pairs


class Head:
    """The headers of a request or a response: `headers` are pairs as sent, `raw_head` the bytes."""

    headers = ()

    def header_all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        """The value of a header, None without it; fails when it is there twice."""
        values = self.header_all(name)
        check(len(values) < 2, f"one {name} header, got {values!r}")
        return values[0] if values else None

    def _read_body(self):
        length = self.header("Content-Length")
        if length is not None:
            return self.recv_exact(int(length))
        if (self.header("Transfer-Encoding") or "").lower() == "chunked":
            body = b""
            while True:
                size = int(self.recv_until(b"\r\n").split(b";")[0], 16)
                body += self.recv_exact(size)
                self.recv_exact(2)
                if not size:
                    return body
        return self.recv_all() if self.ends_at_eof else b""
