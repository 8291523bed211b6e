"""A git server for tests: `git http-backend` over HTTPS on 127.0.0.1:8443, for requests with one Authorization header.

Arguments: a file with the header's value, certificate, key, a file for the headers that came, a file that gets a byte with each round of
the watcher of processes. An answer waits for a whole round, so that the watcher has seen the client.
"""

import http.server
import os
import ssl
import subprocess
import sys
import time

WANTED_FILE, CERTIFICATE, KEY, SEEN, ROUNDS = sys.argv[1:6]
with open(WANTED_FILE) as wanted:
    WANTED = wanted.read()


def wait_for_watcher():
    """The round that is under way may have passed the client already: the next one counts."""
    end = os.path.getsize(ROUNDS) + 2
    while os.path.getsize(ROUNDS) < end:
        time.sleep(0.01)


class Git(http.server.BaseHTTPRequestHandler):
    def answer(self):
        wait_for_watcher()
        with open(SEEN, "a") as seen:
            seen.write(f"{self.path} {self.headers.get('Authorization')}\n")
        if self.headers.get("Authorization") != WANTED:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic realm=git")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        environment = {
            "GIT_PROJECT_ROOT": "/srv/private",
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "PATH": "/usr/bin:/bin",
        }
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True)
        head, _, content = answer.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8443), Git)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
