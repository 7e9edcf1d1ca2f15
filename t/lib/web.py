"""What t/sessions.t works with besides examples.py: a browser, as far as an application's pages need one, and what applications are told."""

import base64
import hashlib
import hmac
import http.cookiejar
import os
import urllib.parse
import urllib.request

from environment import PORT, TEST_DIR, TIMEOUT


class Browser:
    """Keeps its cookies."""

    def __init__(self):
        self._former = {}
        self._jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._jar))

    def get(self, path):
        return self._open(path, None)

    def post(self, path, **fields):
        return self._open(path, urllib.parse.urlencode(fields).encode())

    def _open(self, path, body):
        self._former.update({cookie.name: cookie.value for cookie in self._jar})
        with self._opener.open(f"http://127.0.0.1:{PORT}{path}", body, timeout=TIMEOUT) as answer:
            return answer.read().decode()

    def cookie(self, name):
        return next(cookie.value for cookie in self._jar if cookie.name == name)

    def former(self, name):
        """What the cookie was before the last page."""
        return self._former[name]

    def cookies(self):
        """As a value for the Cookie header."""
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._jar)


def signed(id, secret, quoted=True):
    """What express-session puts into its cookie."""
    mac = hmac.new(secret.encode(), id.encode(), hashlib.sha256).digest()
    value = f"s:{id}.{base64.b64encode(mac).decode().rstrip('=')}"
    return urllib.parse.quote(value, safe="") if quoted else value


def secret_file(*secrets):
    path = os.path.join(TEST_DIR, f"secrets.{len(os.listdir(TEST_DIR))}")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(secret + "\n" for secret in secrets)
    return path


def application(**variables):
    """The environment of an application, which has the block's Redis."""
    return {"REDIS_URL": f"redis://127.0.0.1:{os.environ['TEST_REDIS_PORT']}", **variables}
