# JSON Web Tokens, signed by PyJWT: whom they let in, with what, and until when.
use lib 't/lib';
use File::Temp qw(tempdir);
use Test::Gateway;

my $keys = tempdir('keys.XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $keys;
system($ENV{GATEWAY_PYTHON} || '/usr/bin/python3', 't/lib/jwt_keys.py', $keys) == 0 or die "no keys\n";

run_tests(TEST_KEYS => $keys);

__DATA__

=== TEST 1: each kind of key, in each kind of file: the claims are the context
--- redis: none
--- config
ws_auth_token cookie:jwt bearer arg:jwt;
location /rsa { ws_auth jwt; ws_jwt_key_file $TEST_KEYS/rsa.pem; ws_pass http://$TEST_BACKEND; }
location /ec { ws_auth jwt; ws_jwt_key_file $TEST_KEYS/ec.pem; ws_pass http://$TEST_BACKEND; }
location /ec384 { ws_auth jwt; ws_jwt_key_file $TEST_KEYS/ec384.pem; ws_pass http://$TEST_BACKEND; }
location /jwk { ws_auth jwt; ws_jwt_key_file $TEST_KEYS/jwk.json; ws_pass http://$TEST_BACKEND; }
location /secret { ws_auth jwt; ws_jwt_key_file $TEST_KEYS/secret alg=HS256; ws_pass http://$TEST_BACKEND; }
location /jwks { ws_auth jwt; ws_jwt_key_file $TEST_KEYS/jwks.json; ws_pass http://$TEST_BACKEND; }
location /marked { ws_auth jwt; ws_jwt_key_file $TEST_KEYS/marked.json; ws_pass http://$TEST_BACKEND; }
location /two { ws_auth jwt; ws_jwt_key_file $TEST_KEYS/two.pem; ws_pass http://$TEST_BACKEND; }
location /several {
    ws_auth jwt;
    ws_jwt_key_file $TEST_KEYS/rsa_other.pem;
    ws_jwt_key_file $TEST_KEYS/rsa.pem;
    ws_jwt_key_file $TEST_KEYS/ec.pem;
    ws_pass http://$TEST_BACKEND;
}
--- client
from jwt_keys import sign
claims = {"sub": "7", "name": "Zoë"}
for path, token in [
    ("/rsa", sign(claims)),
    ("/rsa", sign(claims, algorithm="RS384")),
    ("/rsa", sign(claims, algorithm="RS512", kid="any")),
    ("/ec", sign(claims, "ec")),
    ("/ec384", sign(claims, "ec384", "ES384")),
    ("/jwk", sign(claims, "ec", kid="e1")),
    ("/secret", sign(claims, "secret")),
    ("/jwks", sign(claims, kid="r1")),
    ("/jwks", sign(claims)),
    ("/jwks", sign(claims, "ec", kid="e1")),
    ("/jwks", sign(claims, "secret", kid="s1")),
    ("/marked", sign(claims, kid="r1")),
    ("/two", sign(claims)),
    ("/two", sign(claims, "rsa_other")),
    ("/several", sign(claims)),
    ("/several", sign(claims, "rsa_other")),
    ("/several", sign(claims, "ec")),
]:
    c, b = tunnel(path, cookie="jwt=" + token)
    equal(b.header("X-WS-Context"), '{"sub":"7","name":"Zo\\u00eb"}', path)
    c.close()
c, b = tunnel("/rsa", headers=["Authorization: Bearer " + sign(claims)])
c, b = tunnel("/rsa?jwt=" + sign(claims))

=== TEST 2: claims are selected from as sessions are, in envelopes too
--- redis: none
--- config
location / {
    ws_auth jwt;
    ws_auth_token bearer;
    ws_jwt_key_file $TEST_KEYS/rsa.pem;
    ws_context_select roles.0;
    ws_context_field userId $ws_session.sub;
    ws_delivery envelope;
    ws_pass http://$TEST_BACKEND;
}
--- client
from jwt_keys import sign
c, b = tunnel("/", headers=["Authorization: Bearer " + sign({"sub": "7", "roles": ["admin", "dev"], "secret": 1})])
matches(b.recv_text(), r'"context":{"roles":\["admin"\],"userId":"7"}')

=== TEST 3: a token that is not what it should be is refused, and the backend hears nothing
--- redis: none
--- config
ws_auth_token cookie:jwt;
location / { ws_auth jwt; ws_jwt_key_file $TEST_KEYS/rsa.pem; ws_pass http://$TEST_BACKEND; }
location /jwks { ws_auth jwt; ws_jwt_key_file $TEST_KEYS/jwks.json; ws_pass http://$TEST_BACKEND; }
location /ec { ws_auth jwt; ws_jwt_key_file $TEST_KEYS/ec.pem; ws_pass http://$TEST_BACKEND; }
location /rs512 { ws_auth jwt; ws_jwt_key_file $TEST_KEYS/rsa.pem alg=RS512; ws_pass http://$TEST_BACKEND; }
--- client
import hashlib, hmac, json
from jwt_keys import SECRET, base64url, key_file, sign, in_seconds

def forge(header, claims, signature=b""):
    head = base64url(json.dumps(header).encode()) + "." + base64url(json.dumps(claims).encode())
    return head + "." + base64url(signature(head.encode()) if callable(signature) else signature)

def hs256(key):
    return lambda text: hmac.new(key, text, hashlib.sha256).digest()

good = sign({"sub": "7"})
head, claims, signature = good.split(".")
public = key_file("rsa.pem")
refused = {
    "another key": ("/", sign({"sub": "7"}, "rsa_other")),
    "changed claims": ("/", ".".join((head, base64url(b'{"sub":"8"}'), signature))),
    "no signature": ("/", head + "." + claims + "."),
    "a signature of zeros": ("/", head + "." + claims + "." + base64url(bytes(256))),
    "a short signature": ("/", head + "." + claims + "." + signature[:40]),
    "two parts": ("/", head + "." + claims),
    "four parts": ("/", good + ".AAAA"),
    "no token at all": ("/", "hello"),
    "dots": ("/", ".."),
    "padding": ("/", good + "="),
    "padding, as long as base64 has it": ("/", good + "=="),
    "padding of the claims": ("/", head + "." + claims + "=." + signature),
    "the other alphabet": ("/", head + "." + claims + "." + signature[:-4] + "+/+/"),
    "a character of none": ("/", good + "!"),
    "a dot before": ("/", "." + good),
    "a dot behind": ("/", good + "."),
    "five parts": ("/", head + "....."),
    "alg none": ("/", forge({"alg": "none"}, {"sub": "7"})),
    "alg none with a signature": ("/", forge({"alg": "none"}, {"sub": "7"}, b"x")),
    "alg None": ("/", forge({"alg": "None"}, {"sub": "7"})),
    "alg NONE": ("/jwks", forge({"alg": "NONE"}, {"sub": "7"})),
    "alg none and a kid": ("/jwks", forge({"alg": "none", "kid": "r1"}, {"sub": "7"})),
    "no alg": ("/", forge({"typ": "JWT"}, {"sub": "7"})),
    "alg that is no text": ("/", forge({"alg": 256}, {"sub": "7"})),
    "alg empty": ("/", forge({"alg": ""}, {"sub": "7"})),
    # The public key as the secret of an HMAC, in the forms in which a library might read it.
    "confusion": ("/", forge({"alg": "HS256", "typ": "JWT"}, {"sub": "7"}, hs256(public))),
    "confusion, stripped": ("/", forge({"alg": "HS256"}, {"sub": "7"}, hs256(public.strip()))),
    "confusion, with a kid": ("/jwks", forge({"alg": "HS256", "kid": "r1"}, {"sub": "7"}, hs256(public))),
    "confusion of curves": ("/ec", forge({"alg": "HS256"}, {"sub": "7"}, hs256(key_file("ec.pem")))),
    "an EC token for an RSA key": ("/", sign({"sub": "7"}, "ec")),
    "an RSA token for an EC key": ("/ec", good),
    "another curve": ("/ec", sign({"sub": "7"}, "ec384", "ES384")),
    "ES256 of another curve's size": ("/ec", forge({"alg": "ES256"}, {"sub": "7"}, bytes(96))),
    "ES256 of zeros": ("/ec", forge({"alg": "ES256"}, {"sub": "7"}, bytes(64))),
    "an algorithm that the key is not for": ("/rs512", good),
    "a key id that is a path": ("/jwks", sign({"sub": "7"}, kid="../../dev/null")),
    "a key id that is another key's": ("/jwks", sign({"sub": "7"}, "rsa", kid="e1")),
    "a key for encryption": ("/jwks", sign({"sub": "7"}, "rsa_other", kid="enc")),
    "an unknown key id": ("/jwks", sign({"sub": "7"}, "rsa", kid="r2")),
    "an algorithm that the set doesn't give the key": ("/jwks", sign({"sub": "7"}, "rsa", "RS384", kid="r1")),
    "EdDSA, which the library can't": ("/jwks", sign({"sub": "7"}, "ed", kid="o1")),
    "PSS": ("/", sign({"sub": "7"}, "rsa", "PS256")),
    "crit": ("/", sign({"sub": "7"}, crit=["b64"], b64=True)),
    "the key in the token": ("/", sign({"sub": "7"}, "rsa_other", jwk={"kty": "RSA", "n": "AQAB", "e": "AQAB"})),
    "expired": ("/", sign({"exp": in_seconds(-1)})),
    "expired long ago": ("/", sign({"exp": 0})),
    "expired before time began": ("/", sign({"exp": -1.5e9})),
    "not valid yet": ("/", sign({"nbf": in_seconds(60)})),
}
import jwt
for what, text in {"claims that are an array": b"[]", "claims that are no JSON": b"hello", "no claims": b"",
                   "exp that is a text": b'{"exp":"9999999999"}', "exp that is null": b'{"exp":null}', "exp out of reach": b'{"exp":1e300}',
                   "exp that is true": b'{"exp":true}', "exp in an array": b'{"exp":[9999999999]}', "exp beyond 64 bits": b'{"exp":99999999999999999999}',
                   "exp with an escape in its name": b'{"\\u0065xp":1}', "nbf out of reach": b'{"nbf":1e300}', "nbf that is null": b'{"nbf":null}',
                   "claims of a thousand levels": b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}", "two objects": b"{}{}", "no UTF-8": b'{"a":"\xff"}',
                   "nbf that is a text": b'{"nbf":"0"}', "exp twice": b'{"exp":9999999999,"exp":1}'}.items():
    refused[what] = ("/", jwt.api_jws.encode(text, key_file("rsa.key"), "RS256"))
for what, (path, token) in refused.items():
    equal(client(path, cookie="jwt=" + token).status, 401, what)
backend.no_connection()
c, b = tunnel("/", cookie="jwt=" + good)
c, b = tunnel("/rs512", cookie="jwt=" + sign({}, algorithm="RS512"))
--- error_log
token has expired
token is not valid yet
signature is wrong
no key for this token
token is no JWS that can be verified
token wants what is unknown here (crit)
--- no_error_log
eyJ
stale global SSL error

=== TEST 4: what can't be a token is refused before anything is verified
--- redis: none
--- http_config
large_client_header_buffers 4 16k;
--- config
location / {
    ws_auth jwt;
    ws_auth_token cookie:jwt;
    ws_jwt_key_file $TEST_KEYS/rsa.pem;
    ws_pass http://$TEST_BACKEND;
}
--- client
from jwt_keys import sign
good = sign({"sub": "7"})
# A signed one, but larger than any token may be.
oversized = sign({"sub": "7" * 4000})
equal(client("/", cookie="jwt=" + oversized).status, 401)
# More than nginx takes in headers is its own refusal.
equal(client("/", cookie="jwt=" + "x" * 20000).status, 400)
for other in good, "x", "":
    equal(client("/", cookie=f"jwt={good}; jwt={other}").status, 400, "twice")
    equal(client("/", cookie=f"jwt={other}; jwt={good}").status, 400, "twice")
    equal(client("/", headers=["Cookie: jwt=" + good, "Cookie: jwt=" + other]).status, 400, "twice, two lines")
# A line feed would end the header's line: see the next test for one in a token.
for odd, status in (f'"{good}', 400), (f'{good}"', 400), (f"{good}\x01", 400), (f'a"b{good}', 401), (f"{good} x", 401):
    equal(client("/", cookie="jwt=" + odd).status, status, repr(odd[-20:]))
backend.no_connection()
c, b = tunnel("/", cookie=f'jwt="{good}"')

=== TEST 5: a token with a newline or a quote in the query, where they can be written
--- redis: none
--- config
location / {
    ws_auth jwt;
    ws_auth_token arg:jwt;
    ws_jwt_key_file $TEST_KEYS/rsa.pem;
    ws_pass http://$TEST_BACKEND;
}
--- client
from jwt_keys import sign
good = sign({"sub": "7"})
for odd in "%0a", "%0d%0a", "%22", "'", "%00", "%20":
    equal(client(f"/?jwt={good}{odd}").status, 401, odd)
    equal(client(f"/?jwt={odd}{good}").status, 401, odd)
equal(client(f"/?jwt={good}&jwt={good}").status, 400)
backend.no_connection()
c, b = tunnel("/?jwt=" + good)

=== TEST 6: issuer and audience
--- redis: none
--- config
ws_auth jwt;
ws_auth_token cookie:jwt;
ws_jwt_key_file $TEST_KEYS/rsa.pem;
location /iss { ws_jwt_issuer https://a.example https://b.example; ws_pass http://$TEST_BACKEND; }
location /aud { ws_jwt_audience chat admin; ws_pass http://$TEST_BACKEND; }
location /none { ws_pass http://$TEST_BACKEND; }
--- client
from jwt_keys import sign
for path, claims in [("/iss", {"iss": "https://a.example"}), ("/iss", {"iss": "https://b.example"}), ("/aud", {"aud": "chat"}),
                     ("/aud", {"aud": ["other", "admin"]}), ("/none", {"iss": "any", "aud": "any"}), ("/none", {})]:
    c, b = tunnel(path, cookie="jwt=" + sign(claims))
    c.close()
for path, claims in [("/iss", {}), ("/iss", {"iss": "https://a.example/"}), ("/iss", {"iss": "https://a.exampl"}),
                     ("/aud", {}), ("/aud", {"aud": "chat2"}), ("/aud", {"aud": []}), ("/aud", {"aud": ["other"]}),
                     ("/aud", {"aud": {"chat": 1}}), ("/aud", {"aud": [["chat"]]})]:
    equal(client(path, cookie="jwt=" + sign(claims)).status, 401, str(claims))
backend.no_connection()
--- error_log
wrong issuer
wrong audience

=== TEST 7: the socket closes when the token expires, in both deliveries
--- redis: none
--- config
ws_auth jwt;
ws_auth_token cookie:jwt;
ws_jwt_key_file $TEST_KEYS/rsa.pem;
location / { ws_pass http://$TEST_BACKEND; }
location /envelope { ws_delivery envelope; ws_pass http://$TEST_BACKEND; }
--- client
import time
from jwt_keys import sign, in_seconds
expires = in_seconds(3)
token = sign({"sub": "7", "exp": expires})
c, b = tunnel("/", cookie="jwt=" + token)
c2, b2 = tunnel("/envelope", cookie="jwt=" + token)
c3, b3 = tunnel("/", cookie="jwt=" + sign({"sub": "7", "exp": in_seconds(1000000000)}))
c4, b4 = tunnel("/", cookie="jwt=" + sign({"sub": "7", "exp": in_seconds(3600) + 0.5}))
b2.recv_text()
c.send_text("hi")
b.expect_text("hi")
c.expect_close(4401, "session ended")
check(time.time() >= expires, "not before its time")
b.expect_close(1001, "session ended")
c2.expect_close(4401, "session ended")
matches(b2.recv_text(), r'"event":"close".*"code":4401,"reason":"session ended"')
equal(client("/", cookie="jwt=" + token).status, 401)
for client_side, backend_side in (c3, b3), (c4, b4):
    client_side.send_text("still here")
    backend_side.expect_text("still here")

=== TEST 8: leeway
--- redis: none
--- config
ws_auth jwt;
ws_auth_token cookie:jwt;
ws_jwt_key_file $TEST_KEYS/rsa.pem;
ws_jwt_leeway 1h;
location / { ws_pass http://$TEST_BACKEND; }
--- client
from jwt_keys import sign, in_seconds
for claims in {"exp": in_seconds(-3000)}, {"nbf": in_seconds(3000)}:
    c, b = tunnel("/", cookie="jwt=" + sign(claims))
    c.send_text("hi")
    b.expect_text("hi")
for claims in {"exp": in_seconds(-3601)}, {"nbf": in_seconds(3700)}:
    equal(client("/", cookie="jwt=" + sign(claims)).status, 401)

=== TEST 9: a token that expires while the backend takes its time
--- redis: none
--- config
location / {
    ws_auth jwt;
    ws_auth_token cookie:jwt;
    ws_jwt_key_file $TEST_KEYS/rsa.pem;
    ws_pass http://$TEST_BACKEND;
}
--- client
import time
from jwt_keys import sign, in_seconds
expires = in_seconds(2)
c = client("/", cookie="jwt=" + sign({"exp": expires}))
b = backend.accept()
time.sleep(max(0, expires - time.time()) + 0.2)
b.upgrade()
equal(c.status, 101)
c.expect_close(4401, "session ended")

=== TEST 10: reload reads the keys again
--- redis: none
--- config
location / {
    ws_auth jwt;
    ws_auth_token cookie:jwt;
    ws_jwt_key_file $TEST_KEYS/current.pem;
    ws_drain_timeout 1s;
    ws_pass http://$TEST_BACKEND;
}
--- client
from jwt_keys import key_file, replace_key, sign
c, b = tunnel("/", cookie="jwt=" + sign({"sub": "7"}))
replace_key("current.pem", key_file("rsa_other.pem"))
nginx.reload()
c.expect_close(1012)
equal(client("/", cookie="jwt=" + sign({"sub": "7"})).status, 401)
c, b = tunnel("/", cookie="jwt=" + sign({"sub": "7"}, "rsa_other"))

=== TEST 11: over TLS, a refused token leaves nothing behind in OpenSSL's error queue
--- redis: none
--- config
listen 127.0.0.1:$TEST_TLS_PORT ssl;
ssl_certificate $TEST_CERT;
ssl_certificate_key $TEST_CERT_KEY;
location / {
    ws_auth jwt;
    ws_auth_token cookie:jwt;
    ws_jwt_key_file $TEST_KEYS/jwks.json;
    ws_pass http://$TEST_BACKEND;
}
--- client
from jwt_keys import sign, base64url
head, claims, signature = sign({"sub": "7"}).split(".")
for bad in base64url(bytes(256)), base64url(b"\xff" * 256), base64url(bytes(255)), "AAAA":
    equal(client("/", tls=True, cookie=f"jwt={head}.{claims}.{bad}").status, 401)
c, b = tunnel("/", tls=True, cookie="jwt=" + sign({"sub": "7"}))
c.send_text("hi")
b.expect_text("hi")
--- no_error_log
SSL error

=== TEST 12: ws_auth jwt without a key
--- config
location / { ws_auth jwt; ws_auth_token bearer; ws_pass http://$TEST_BACKEND; }
--- must_die
--- error_log
"ws_auth jwt" needs a key: add "ws_jwt_key_file FILE;" at this level or above

=== TEST 13: ws_auth jwt without a token
--- config
location / { ws_auth jwt; ws_jwt_key_file $TEST_KEYS/rsa.pem; ws_pass http://$TEST_BACKEND; }
--- must_die
--- error_log
"ws_auth jwt" needs a token: add "ws_auth_token cookie:NAME;" at this level or above

=== TEST 14: a secret is never guessed to be one
--- config
ws_jwt_key_file $TEST_KEYS/secret;
--- must_die
--- error_log
looks like a secret: add alg=HS256, alg=HS384 or alg=HS512 if it is one
--- no_error_log
thirty-two

=== TEST 15: a public key is never a secret
--- config
ws_jwt_key_file $TEST_KEYS/rsa.pem alg=HS256;
--- must_die
--- error_log
rsa.pem" has a key of another kind than alg= says

=== TEST 16: a secret that is too short
--- config
ws_jwt_key_file $TEST_KEYS/short alg=HS256;
--- must_die
--- error_log
has a key that is too short: RSA needs 2048 bits, HS256 32 bytes
--- no_error_log
too short\n

=== TEST 17: an RSA key that is too short
--- config
ws_jwt_key_file $TEST_KEYS/rsa_short.pem;
--- must_die
--- error_log
has a key that is too short: RSA needs 2048 bits, HS256 32 bytes

=== TEST 18: a private key as PEM
--- config
ws_jwt_key_file $TEST_KEYS/rsa.key;
--- must_die
--- error_log
is no PEM of an RSA, P-256, P-384 or P-521 public key (BEGIN PUBLIC KEY)

=== TEST 19: a private key as JWK
--- config
ws_jwt_key_file $TEST_KEYS/private.json;
--- must_die
--- error_log
has a private key: give the gateway the public one only

=== TEST 20: a set without a key of use
--- config
ws_jwt_key_file $TEST_KEYS/useless.json;
--- must_die
--- error_log
holds no key that can be used: it must be a JWK or JWKS, a PEM public key, or a secret

=== TEST 21: Ed25519, which the library can't
--- config
ws_jwt_key_file $TEST_KEYS/ed.pem;
--- must_die
--- error_log
is no PEM of an RSA, P-256, P-384 or P-521 public key (BEGIN PUBLIC KEY)

=== TEST 22: an unknown algorithm
--- config
ws_jwt_key_file $TEST_KEYS/rsa.pem alg=none;
--- must_die
--- error_log
"ws_jwt_key_file" directive has a wrong value "alg=none": it must be alg=NAME, where NAME is HS, RS or ES with 256, 384 or 512

=== TEST 23: an issuer twice
--- config
ws_jwt_issuer a;
ws_jwt_issuer b;
--- must_die
--- error_log
"ws_jwt_issuer" directive is duplicate

=== TEST 24: an audience twice
--- config
ws_jwt_audience a;
ws_jwt_audience b;
--- must_die
--- error_log
"ws_jwt_audience" directive is duplicate

=== TEST 25: ws_jwt_leeway soon
--- config
ws_jwt_leeway soon;
--- must_die
--- error_log
"ws_jwt_leeway" directive has a wrong value "soon": it must be a time such as 30s or 1h, or 0

=== TEST 26: a file that isn't there
--- config
ws_jwt_key_file $TEST_KEYS/missing.pem;
--- must_die
--- error_log
qr/"ws_jwt_key_file" directive can't read ".*missing\.pem": No such file or directory/

=== TEST 27: an empty file
--- config
ws_jwt_key_file $TEST_KEYS/empty;
--- must_die
--- error_log
qr/"ws_jwt_key_file" directive ".*empty" is empty/

=== TEST 28: a public key is never a secret, with a comment before it
--- config
ws_jwt_key_file $TEST_KEYS/two.pem alg=HS256;
--- must_die
--- error_log
two.pem" has a key of another kind than alg= says

=== TEST 29: a public key is never a secret, behind a byte order mark
--- config
ws_jwt_key_file $TEST_KEYS/marked.json alg=HS256;
--- must_die
--- error_log
marked.json" has a key of another kind than alg= says

=== TEST 30: a public key is never a secret, in a JSON array
--- config
ws_jwt_key_file $TEST_KEYS/array.json alg=HS256;
--- must_die
--- error_log
array.json" has a public key in a form that is not read: it must be a JWK, a JWKS or PEM

=== TEST 31: a public key is never a secret, as DER
--- config
ws_jwt_key_file $TEST_KEYS/rsa.der alg=HS256;
--- must_die
--- error_log
rsa.der" has a public key in a form that is not read: it must be a JWK, a JWKS or PEM

=== TEST 32: a public key is never a secret, as SSH writes it
--- config
ws_jwt_key_file $TEST_KEYS/rsa.ssh alg=HS256;
--- must_die
--- error_log
rsa.ssh" has a public key in a form that is not read: it must be a JWK, a JWKS or PEM

=== TEST 33: more keys than are taken, none of them left out silently
--- config
ws_jwt_key_file $TEST_KEYS/many.json;
--- must_die
--- error_log
many.json" has too many keys: at most 100
