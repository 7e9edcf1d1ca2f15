"""What the runner tells a test's script, and how long the script waits for anything."""

import os

TIMEOUT = 10
TEST_DIR = os.environ.get("TEST_DIR", "")
PORT = int(os.environ.get("TEST_PORT", "0"))
TLS_PORT = int(os.environ.get("TEST_TLS_PORT", "0"))
