"""Throw-away keys for tests of JSON Web Tokens, and tokens made with them by PyJWT: jwt_keys.py DIRECTORY makes the keys."""

import base64
import json
import os
import sys
import time

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

SECRET = "a secret of more than thirty-two bytes, or so"


def _write(directory, name, content):
    with open(os.path.join(directory, name), "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def public(key, encoding, form):
    return key.public_key().public_bytes(serialization.Encoding[encoding], serialization.PublicFormat[form])


def make(directory):
    keys = {
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "rsa_other": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "rsa_short": rsa.generate_private_key(public_exponent=65537, key_size=1024),
        "ec": ec.generate_private_key(ec.SECP256R1()),
        "ec384": ec.generate_private_key(ec.SECP384R1()),
        "ed": ed25519.Ed25519PrivateKey.generate(),
    }
    for name, key in keys.items():
        _write(directory, f"{name}.key", key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        _write(directory, f"{name}.pem", public(key, "PEM", "SubjectPublicKeyInfo"))
    _write(directory, "empty", "")
    with open(os.path.join(directory, "rsa.pem"), "rb") as file:
        _write(directory, "current.pem", file.read())
    _write(directory, "secret", SECRET + "\n")
    _write(directory, "short", "too short\n")

    def jwk(name, kid, **more):
        if name.startswith("ec"):
            numbers = keys[name].public_key().public_numbers()
            size = keys[name].key_size // 8
            x, y = (base64url(n.to_bytes(size, "big")) for n in (numbers.x, numbers.y))
            own = {"kty": "EC", "crv": f"P-{keys[name].key_size}", "x": x, "y": y}
        else:
            numbers = keys[name].public_key().public_numbers()
            own = {"kty": "RSA", "n": base64url(numbers.n.to_bytes(256, "big")), "e": "AQAB"}
        return {**own, "kid": kid, **more}

    shared = {"kty": "oct", "k": base64url(SECRET.encode()), "kid": "s1", "alg": "HS256"}
    okp = {"kty": "OKP", "crv": "Ed25519", "x": base64url(bytes(32)), "kid": "o1"}
    keys_of_set = [okp, jwk("rsa", "r1", use="sig", alg="RS256"), jwk("ec", "e1"), jwk("rsa_other", "enc", use="enc"), shared]
    _write(directory, "jwks.json", json.dumps({"keys": keys_of_set}))
    _write(directory, "jwk.json", json.dumps(jwk("ec", "e1")))
    _write(directory, "marked.json", b"\xef\xbb\xbf" + json.dumps(jwk("rsa", "r1")).encode())
    _write(directory, "array.json", json.dumps([jwk("ec", "e1")]))
    both = b"".join(public(keys[name], "PEM", "SubjectPublicKeyInfo") for name in ("rsa_other", "rsa"))
    _write(directory, "two.pem", b"# Ours, and who signed before.\n" + both)
    _write(directory, "rsa.der", public(keys["rsa"], "DER", "SubjectPublicKeyInfo"))
    _write(directory, "rsa.ssh", public(keys["rsa"], "OpenSSH", "OpenSSH"))
    _write(directory, "many.json", json.dumps({"keys": [{**shared, "kid": f"s{i}"} for i in range(101)]}))
    _write(directory, "useless.json", json.dumps({"keys": [okp]}))
    _write(directory, "private.json", json.dumps({**jwk("rsa", "r1"), "d": "AQAB"}))


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def key_file(name):
    with open(os.path.join(os.environ["TEST_KEYS"], name), "rb") as file:
        return file.read()


def replace_key(name, content):
    _write(os.environ["TEST_KEYS"], name, content)


def sign(claims, key="rsa", algorithm=None, **header):
    """A token by PyJWT."""
    algorithm = algorithm or {"rsa": "RS256", "ec": "ES256", "ed": "EdDSA", "secret": "HS256"}[key.split("_")[0]]
    private = SECRET if key == "secret" else key_file(f"{key}.key")
    return jwt.encode(claims, private, algorithm=algorithm, headers=header)


def in_seconds(seconds):
    return int(time.time()) + seconds


if __name__ == "__main__":
    make(sys.argv[1])
