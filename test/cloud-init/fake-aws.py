"""A fake of IMDSv2, S3, SSM, CloudWatch and CloudWatch Logs on one port of a namespace's loopback, which checks each signature.

Objects are files under /fake/s3; answers of the JSON services come from /fake/<target>.json; what was posted goes to /fake/posted.
"""
import hashlib, hmac, http.server, json, os, time

ROOT = "/fake"
CREDENTIALS = {"AccessKeyId": "ASIAFAKE", "SecretAccessKey": "secret/key+", "Token": "session//token=="}


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def put_log_events(request):
    """PutLogEvents with the limits of the API reference. Accepted events are lines in /fake/logs/<stream>."""
    file = "%s/logs/%s" % (ROOT, request["logStreamName"].replace("/", "_"))
    events, now = request["logEvents"], int(time.time() * 1000)
    invalid = lambda why: (400, {"__type": "InvalidParameterException", "message": why})
    if not os.path.exists(file):
        return 400, {"__type": "ResourceNotFoundException", "message": "The specified log stream does not exist."}
    sizes = [len(event["message"].encode()) + 26 for event in events]
    times = [event["timestamp"] for event in events]
    if not 1 <= len(events) <= 10_000 or sum(sizes) > 1_048_576:
        return invalid("Upload too large: %d events, %d bytes" % (len(events), sum(sizes)))
    if max(sizes) > 256 * 1024 or min(sizes) == 26:
        return invalid("Log event too large, or empty: %d bytes" % max(sizes))
    if times != sorted(times):
        return invalid("Log events in a single PutLogEvents request must be in chronological order.")
    if times[-1] - times[0] >= 24 * 3600 * 1000:
        return invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
    poison = open(ROOT + "/poison").read().strip() if os.path.exists(ROOT + "/poison") else None
    if poison and any(poison in event["message"] for event in events):
        return invalid("poison")
    rejected = {}
    kept = []
    for index, event in enumerate(events):
        if event["timestamp"] > now + 2 * 3600 * 1000:
            rejected.setdefault("tooNewLogEventStartIndex", index)
        elif event["timestamp"] < now - 14 * 24 * 3600 * 1000:
            rejected["tooOldLogEventEndIndex"] = index + 1
        else:
            kept.append(event)
    with open(file, "a") as out:
        for event in kept:
            out.write(json.dumps(event) + "\n")
    return 200, {"rejectedLogEventsInfo": rejected} if rejected else {}


def create_log_stream(request):
    file = "%s/logs/%s" % (ROOT, request["logStreamName"].replace("/", "_"))
    os.makedirs(os.path.dirname(file), exist_ok=True)
    if os.path.exists(file):
        return 400, {"__type": "ResourceAlreadyExistsException"}
    open(file, "w").close()
    return 200, {}


LOGS = {"Logs_20140328.PutLogEvents": put_log_events, "Logs_20140328.CreateLogStream": create_log_stream}


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, code, body=b"", **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def signed(self, body):
        parts = dict(item.strip().split("=", 1) for item in self.headers["Authorization"].split(" ", 1)[1].split(","))
        key_id, *scope = parts["Credential"].split("/")
        names = parts["SignedHeaders"].split(";")
        payload = self.headers.get("x-amz-content-sha256") or hashlib.sha256(body).hexdigest()
        path, _, query = self.path.partition("?")
        lines = [self.command, path, query, *("%s:%s" % (n, self.headers[n].strip()) for n in names), "", ";".join(names), payload]
        text = "\n".join(["AWS4-HMAC-SHA256", self.headers["x-amz-date"], "/".join(scope), hashlib.sha256("\n".join(lines).encode()).hexdigest()])
        key = ("AWS4" + CREDENTIALS["SecretAccessKey"]).encode()
        for part in scope:
            key = sign(key, part)
        fits = hmac.new(key, text.encode(), hashlib.sha256).hexdigest() == parts["Signature"]
        whole = payload in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest())
        return key_id == CREDENTIALS["AccessKeyId"] and fits and whole and self.headers["x-amz-security-token"] == CREDENTIALS["Token"]

    def metadata(self):
        if self.command == "PUT":
            return self.answer(200, b"imds-token")
        if self.headers.get("X-aws-ec2-metadata-token") != "imds-token":
            return self.answer(401)
        if self.path.endswith("/instance-id"):
            return self.answer(200, b"i-0123456789abcdef0")
        if "/managed-ssh-keys/" in self.path:
            keys = ROOT + "/keys-" + self.path.rstrip("/").rpartition("/")[2]
            return self.answer(200, open(keys, "rb").read()) if os.path.exists(keys) else self.answer(404)
        if self.path.endswith("/security-credentials/"):
            return self.answer(200, b"role")
        self.answer(200, json.dumps({"Code": "Success", **CREDENTIALS}, indent=2).encode())

    def handle_all(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/latest/"):
            return self.metadata()
        if not self.signed(body):
            return self.answer(403, b"<Code>SignatureDoesNotMatch</Code>")
        target = self.headers.get("X-Amz-Target")
        if self.command == "POST":
            with open(ROOT + "/posted", "ab") as out:
                out.write((target or "form").encode() + b" " + body + b"\n")
            page = ROOT + "/" + (target or "form") + (".next" if b"NextToken" in body else "") + ".json"
            if os.path.exists(ROOT + "/refuse-" + (target or "form")):
                # The file's text is "STATUS NAME", for one request unless it also has "always".
                words = open(ROOT + "/refuse-" + (target or "form")).read().split() or ["400", "ResourceNotFoundException"]
                if "always" not in words:
                    os.remove(ROOT + "/refuse-" + (target or "form"))
                return self.answer(int(words[0]), b'{"__type":"%s"}' % words[1].encode())
            if target in LOGS:
                code, answer = LOGS[target](json.loads(body))
                return self.answer(code, json.dumps(answer).encode())
            return self.answer(200, open(page, "rb").read() if os.path.exists(page) else b"{}")
        file = ROOT + "/s3" + self.path
        if self.command == "PUT":
            os.makedirs(os.path.dirname(file), exist_ok=True)
            with open(ROOT + "/puts", "ab") as out:
                out.write(self.path.encode() + b" " + body.replace(b"\n", b" ") + b"\n")
            open(file, "wb").write(body)
            return self.answer(200)
        if not os.path.exists(file):
            return self.answer(403, b"<Code>AccessDenied</Code>")
        content = open(file, "rb").read()
        etag = '"%s"' % hashlib.md5(content).hexdigest()
        if self.headers.get("If-None-Match") == etag:
            return self.answer(304, ETag=etag)
        self.answer(200, content, ETag=etag)

    do_GET = do_PUT = do_POST = handle_all


http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Handler).serve_forever()
