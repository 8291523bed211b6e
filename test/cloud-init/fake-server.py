"""A fake server behind NGINX. It accepts one token, and refuses every other credential with its hash."""
import hashlib
import http.server
import itertools
import re
import time

NAMED = set()

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are two writes: without this the second one waits for the acknowledgement of the first.
    disable_nagle_algorithm = True

    def do_GET(self):
        credential = self.headers.get("Authorization", "")
        if self.path == "/stream" and credential == "Bearer good":
            return self.stream()
        if self.path.endswith("?late"):
            time.sleep(60)  # longer than NGINX waits, also when it stands still for a while
        if self.path.endswith("?dies") and (self.command, self.path) not in NAMED:  # the first time
            NAMED.add((self.command, self.path))
            self.close_connection = True
            return None
        own = re.search(r"/own/(\d+)|status=(\d+)", self.path)
        if own:  # an error of the server's own
            status, body = int(own[1] or own[2]), b"the server's own words"
        elif self.path.endswith("?drains") and self.path not in NAMED:  # the first time
            NAMED.add(self.path)
            status, body = 503, b"draining"
        elif self.path.endswith("?connection"):
            status, body = 200, b"%d " % self.client_address[1]
        elif credential == "Bearer good":
            status, body = 200, b"ok"
        else:
            status, body = 401, b"no"
        self.send_response(status)
        # As in server/auth/refusals.ts: once for each network.
        who = (self.headers.get("X-Real-IP", "").rpartition(":")[0] or self.headers.get("X-Real-IP"), credential)
        if status == 401 and credential and who not in NAMED:
            NAMED.add(who)
            self.send_header("X-Refused-Credential", hashlib.sha256(credential.encode()).hexdigest()[:12])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        if "Transfer-Encoding" in self.headers:  # not parsed
            self.close_connection = True
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number in itertools.count():  # until the client goes away: a test may take any time
            self.wfile.write(b"data: %d\n\n" % number)
            self.wfile.flush()
            time.sleep(0.1)

    def log_message(self, *_):
        pass

class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):  # a client that went away
        pass


Server(("127.0.0.1", 8080), Handler).serve_forever()
