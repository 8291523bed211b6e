"""New lines of a log file, also of what was rotated away from it: a file is known by its content, not by its name."""

import datetime
import glob
import gzip
import hashlib
import os
import re
import sys

from .batches import Event

TIME = re.compile(rb'^\{(?:"level":"[a-z]+",)?"time":"([0-9T:+-]{19,25}Z?)"')
LONGEST_LINE = 4 * 1024 * 1024


def open_log(path: str):
    return gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")


def fingerprint(path: str):
    """Of the first line, which has the id of its request; None: not one whole line yet."""
    with open_log(path) as file:
        line = file.readline(LONGEST_LINE)
    return hashlib.sha256(line).hexdigest() if line.endswith(b"\n") or len(line) == LONGEST_LINE else None


def lines(path: str, place: int):
    """(line, place after it) of all whole lines from a place on."""
    with open_log(path) as file:
        file.seek(place)
        while True:
            line = file.readline(LONGEST_LINE)
            if not line.endswith(b"\n") and len(line) < LONGEST_LINE:
                return
            place += len(line)
            yield line, place


class Files:
    """The state is {fingerprint: {"place": bytes read, "seen": [inode, size, mtime]}} of the files that are still there."""

    def __init__(self, path: str, state):
        self.path = path
        self.first = not isinstance(state, dict)
        self.state = {} if self.first else state
        self.done = False

    def events(self, now: int):
        """The place of each event is the whole state after it."""
        kept = {}
        paths = []
        for path in glob.glob(self.path + "*"):
            try:
                paths.append((os.stat(path).st_mtime_ns, path))
            except FileNotFoundError:  # rotated at this moment: the next run finds it
                continue
        for _, path in sorted(paths):
            try:
                yield from self.new(path, kept, now)
            except (OSError, EOFError) as error:  # gone, or half compressed
                print("mcp-edge-logs: %s: %s" % (path, error), file=sys.stderr)
                kept = {**self.state, **kept}
        self.state = kept
        self.done = True

    def new(self, path: str, kept: dict, now: int):
        stat = os.stat(path)
        seen = [stat.st_ino, stat.st_size, stat.st_mtime_ns]
        for name, entry in self.state.items():
            if entry["seen"] == seen:
                kept[name] = entry
                return
        name = fingerprint(path)
        if name is None:
            return
        known = kept.get(name) or self.state.get(name)
        place = known["place"] if known else stat.st_size if self.first and path != self.path else 0
        at = now
        for line, after in lines(path, place):
            place = after
            kept[name] = {"place": place, "seen": [0, 0, 0]}
            at = time_of(line, at)
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            yield Event(at, text, {**self.state, **kept})
        kept[name] = {"place": place, "seen": seen if place >= stat.st_size or path.endswith(".gz") else [0, 0, 0]}


def time_of(line: bytes, otherwise: int) -> int:
    """Milliseconds; of a line without a time, those of the line before."""
    found = TIME.match(line)
    try:
        return int(datetime.datetime.fromisoformat(found[1].decode()).timestamp() * 1000) if found else otherwise
    except ValueError:
        return otherwise
