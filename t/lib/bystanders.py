"""Connections of session b, one in each delivery, that have nothing to do with what happens, and are to go on."""

from client import client
from expectation import Failure, check, equal, wait_until


class Bystanders:
    paths = "/headers", "/envelope", "/http"

    def __init__(self):
        self.clients = [client(path, cookie="X-Token=b") for path in self.paths]
        for c in self.clients:
            equal(c.status, 101)
        self.well()

    def well(self):
        """Each is heard and hears, and another one would be let in."""
        for c in self.clients:
            c.send_text("still here")
            c.expect_text("still here")
        self.let_in()

    def let_in(self):
        wait_until(self._is_let_in, "newcomers are let in")

    def _is_let_in(self):
        c = client("/headers", cookie="X-Token=b")
        try:
            return c.status == 101
        except Failure:
            check(c.ended, "not forgotten")
            return False
        finally:
            c.close()
