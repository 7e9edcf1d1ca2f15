"""A shout box in Flask: each message comes back as two, in one reply."""

import json
import os

from flask import Flask, Response, request
from werkzeug.serving import make_server

app = Flask(__name__)


def several(*texts):
    """A reply that is several messages (RFC 2046)."""
    boundary = os.urandom(16).hex()
    parts = "".join(f"--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n" for text in texts)
    return Response(f"{parts}--{boundary}--\r\n", content_type=f"multipart/mixed; boundary={boundary}")


@app.post("/chat")
def event():
    user = json.loads(request.headers["X-WS-Context"])["user"]
    kind = request.headers["ce-type"]

    if kind == "websocket.open":
        return Response("", 204) if "chat.v1" not in request.headers.get("Sec-WebSocket-Protocol", "") \
            else Response("", 204, {"Sec-WebSocket-Protocol": "chat.v1"})
    if kind == "websocket.close":
        app.logger.warning("%s left: %s", user["name"], request.get_json()["code"])
        return Response("", 204)
    if request.mimetype != "text/plain":
        return Response("", 204, {"X-WS-Close": "1003 text only"})
    text = request.get_data(as_text=True)
    return several(f"{user['name']}: {text}", f"{user['name']}: {text.upper()}!")


if __name__ == "__main__":
    server = make_server("127.0.0.1", int(os.environ.get("PORT", "3000")), app, threaded=True)
    print(f"listening on 127.0.0.1:{server.port}", flush=True)
    server.serve_forever()
