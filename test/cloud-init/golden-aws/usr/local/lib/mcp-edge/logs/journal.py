"""New entries of the journal."""

import json
import subprocess
import sys

from .batches import Event

COMMAND = ["journalctl", "-q", "--no-pager", "--all", "-o", "json", "--output-fields=MESSAGE,_SYSTEMD_UNIT,SYSLOG_IDENTIFIER"]


def text_of(value) -> str:
    """A field may be text, a list of bytes when it is no UTF-8, or a list of values when it was given several times."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        if all(isinstance(item, int) for item in value):
            return bytes(value).decode("utf-8", "replace")
        return " ".join(text_of(item) for item in value)
    return ""


class Journal:
    """The state is {"cursor": of the last entry that was taken, "at": its time in microseconds}."""

    def __init__(self, state):
        self.state = state if isinstance(state, dict) else {}

    def events(self, now: int):
        for start in self.starts():
            count = 0
            with subprocess.Popen([*COMMAND, *start], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
                try:
                    for line in process.stdout:
                        if line.endswith(b"\n"):
                            count += 1
                            yield self.event(line, now)
                    process.wait()
                finally:
                    process.kill()  # only when nobody wants the rest: it has ended otherwise
            if count > 0 or process.returncode == 0:
                return
        print("mcp-edge-logs: journalctl failed (%d)" % process.returncode, file=sys.stderr)

    def starts(self):
        if self.state.get("cursor"):
            yield ["--after-cursor=" + self.state["cursor"]]
        if self.state.get("at"):
            yield ["--since=@%d.%06d" % divmod(int(self.state["at"]) + 1, 1_000_000)]
        elif not self.state.get("cursor"):
            yield []

    def event(self, line: bytes, now: int):
        try:
            entry = json.loads(line.decode("utf-8", "replace"))
            at = int(entry["__REALTIME_TIMESTAMP"])
        except (ValueError, KeyError, TypeError):
            return Event(now, "mcp-edge-logs: the journal has an entry that is no JSON: " + line.decode("utf-8", "replace").strip(), None)
        who = text_of(entry.get("_SYSTEMD_UNIT")) or text_of(entry.get("SYSLOG_IDENTIFIER")) or "kernel"
        self.state = {"cursor": entry.get("__CURSOR", ""), "at": at}
        return Event(at // 1000, "%s: %s" % (who, text_of(entry.get("MESSAGE"))), self.state)
