"""CloudWatch Logs by curl, which signs the requests; credentials are the machine's role's, from the metadata service."""

import json
import os
import subprocess
import sys
import urllib.request


class Refused(Exception):
    """CloudWatch will never take this request."""


class Unavailable(Exception):
    """It may take it later: no network, no right yet, too many requests."""


# What is wrong with the request itself. Everything else may pass.
PERMANENT = ("InvalidParameterException", "SerializationException", "ValidationException")


class CloudWatch:
    def __init__(self, env: dict):
        self.env = env
        self.group = env["PREFIX"]
        self._credentials = None
        self._token = None

    def metadata(self, path: str) -> str:
        try:
            if self._token is None:
                request = urllib.request.Request(
                    self.env["IMDS"] + "/latest/api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "300"}
                )
                self._token = urllib.request.urlopen(request, timeout=5).read().decode()
            url = self.env["IMDS"] + "/latest/meta-data/" + path
            request = urllib.request.Request(url, headers={"X-aws-ec2-metadata-token": self._token})
            return urllib.request.urlopen(request, timeout=5).read().decode()
        except OSError as error:
            raise Unavailable("the metadata service: %s" % error) from error

    def credentials(self) -> str:
        if self._credentials is None:
            role = self.metadata("iam/security-credentials/")
            answer = json.loads(self.metadata("iam/security-credentials/" + role))
            quoted = [answer[key].replace("\\", "\\\\").replace('"', '\\"') for key in ("AccessKeyId", "SecretAccessKey", "Token")]
            self._credentials = 'user = "%s:%s"\nheader = "x-amz-security-token: %s"\n' % tuple(quoted)
        return self._credentials

    def call(self, action: str, body: dict) -> dict:
        region = self.env["REGION"]
        url = (self.env.get("AWS_ENDPOINT_URL") or "https://logs.%s.amazonaws.com" % region) + "/"
        # Credentials and body by descriptors: an argument would be seen by every process, and a disk may be full.
        command = ["curl", "-sS", "--connect-timeout", "5", "--max-time", "60", "--aws-sigv4", "aws:amz:%s:logs" % region]
        command += ["-X", "POST", "-H", "Content-Type: application/x-amz-json-1.1", "-H", "X-Amz-Target: Logs_20140328." + action]
        command += ["--data-binary", "@-", "-w", "\n%{http_code}", url]
        done = run_with_config(command, self.credentials(), json.dumps(body).encode())
        if done.returncode != 0:
            raise Unavailable("curl: %s" % done.stderr.decode(errors="replace").strip())
        answer, _, status = done.stdout.decode(errors="replace").rpartition("\n")
        if status == "200":
            return json.loads(answer or "{}")
        if any(name in answer for name in PERMANENT) or status == "413":
            raise Refused("%s: HTTP %s: %s" % (action, status, answer[:500]))
        raise Unavailable("%s: HTTP %s: %s" % (action, status, answer[:500]))

    def put(self, stream: str, events: list) -> None:
        """Sends one batch, in the order of the times; a stream that is not there yet is made."""
        log_events = [{"timestamp": event.at, "message": event.text} for event in sorted(events, key=lambda event: event.at)]
        body = {"logGroupName": self.group, "logStreamName": stream, "logEvents": log_events}
        try:
            answer = self.call("PutLogEvents", body)
        except Unavailable as error:
            if "ResourceNotFoundException" not in str(error):
                raise
            self.create(stream)
            answer = self.call("PutLogEvents", body)
        rejected = answer.get("rejectedLogEventsInfo")
        if rejected:
            print("%s: CloudWatch did not keep all of %d lines: %s" % (stream, len(events), json.dumps(rejected)), file=sys.stderr)

    def create(self, stream: str) -> None:
        try:
            self.call("CreateLogStream", {"logGroupName": self.group, "logStreamName": stream})
        except Unavailable as error:
            if "ResourceAlreadyExistsException" not in str(error):
                raise

    def deliver(self, stream: str, events: list) -> None:
        """Sends a batch. Of one that is refused, the halves: in the end the single event that is at fault is left out, by name."""
        try:
            self.put(stream, events)
        except Refused as error:
            if len(events) == 1:
                # Without its text, which would be refused again.
                print("%s: one line (time %d, %d characters) was left out: %s" % (stream, events[0].at, len(events[0].text), error), file=sys.stderr)
                return
            middle = len(events) // 2
            self.deliver(stream, events[:middle])
            self.deliver(stream, events[middle:])


def run_with_config(command: list, config: str, body: bytes) -> subprocess.CompletedProcess:
    """Runs curl with its configuration on a descriptor and the request's body on standard input."""
    reader, writer = os.pipe()
    try:
        os.write(writer, config.encode())  # a few kB: less than a pipe holds
        os.close(writer)
        return subprocess.run([*command, "-K", "/dev/fd/%d" % reader], input=body, capture_output=True, pass_fds=[reader], check=False)
    finally:
        os.close(reader)
