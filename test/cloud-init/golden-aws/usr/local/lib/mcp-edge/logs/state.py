"""Where each source goes on. In memory (/run) and on the disk: on a full disk the one in memory still moves."""

import contextlib
import json
import os


def read(folders, name: str):
    """The state that was written last, or None: none that can be read."""
    found = []
    for folder in folders:
        try:
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as file:
                found.append((os.stat(path).st_mtime_ns, json.load(file)))
        except (OSError, ValueError):
            continue
    return max(found, key=lambda pair: pair[0])[1] if found else None


def write(folders, name: str, state) -> list:
    """Replaces the state in each folder, in one step. Returns what went wrong where."""
    problems = []
    for folder in folders:
        path = os.path.join(folder, name)
        try:
            with open(path + ".new", "w", encoding="utf-8") as file:
                json.dump(state, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(path + ".new", path)
        except OSError as error:
            problems.append("%s: %s" % (path, error.strerror))
            with contextlib.suppress(OSError):
                os.remove(path + ".new")
    return problems
