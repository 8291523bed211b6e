"""A proxy before Pebble that plays failures: acme-proxy.py CERTIFICATE KEY

/fake/acme.json has the failures: {PATTERN of "METHOD PATH": {"status", "headers", "problem": the type's last part, "detail"}}. It also gives
the directory profiles, which Debian's Pebble lacks, and refuses orders of another profile as draft-ietf-acme-profiles says.
"""
import base64, http.client, http.server, json, re, ssl, sys

PROFILES = {"classic": "90 days", "shortlived": "6 days"}
TO_PEBBLE = ssl.create_default_context(cafile="/fake/ca.pem")
TO_PEBBLE.verify_flags &= ~ssl.VERIFY_X509_STRICT


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log_message = lambda *_: None

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def problem(self, status, kind, detail, headers=()):
        body = json.dumps({"type": "urn:ietf:params:acme:error:" + kind, "detail": detail, "status": status}).encode()
        self.answer(status, [("Content-Type", "application/problem+json"), *headers], body)

    def handle_all(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            failures = json.load(open("/fake/acme.json"))
        except OSError:
            failures = {}
        with open("/fake/requests", "a") as out:
            out.write("%s %s\n" % (self.command, self.path))
        for pattern, failure in failures.items():
            if re.search(pattern, "%s %s" % (self.command, self.path)):
                return self.problem(failure["status"], failure["problem"], failure["detail"], failure.get("headers", {}).items())
        if self.path == "/order-plz":
            payload = json.loads(base64.urlsafe_b64decode(json.loads(body)["payload"] + "=="))
            with open("/fake/requests", "a") as out:
                out.write("profile %s\n" % payload.get("profile"))
            if payload.get("profile", "classic") not in PROFILES:
                return self.problem(400, "invalidProfile", "profile %s is not there" % payload["profile"])
        pebble = http.client.HTTPSConnection("localhost", 14001, context=TO_PEBBLE, timeout=60)
        pebble.request(self.command, self.path, body, dict(self.headers))
        got = pebble.getresponse()
        content = got.read()
        if self.path == "/dir":
            directory = json.loads(content)
            directory["meta"]["profiles"] = PROFILES
            content = json.dumps(directory).encode()
        self.answer(got.status, got.getheaders(), content)

    do_GET = do_POST = do_HEAD = handle_all


server = http.server.ThreadingHTTPServer(("127.0.0.1", 14000), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
