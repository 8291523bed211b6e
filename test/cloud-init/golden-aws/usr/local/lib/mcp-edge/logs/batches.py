"""Log events to batches that CloudWatch Logs takes whole. Pure.

Limits of PutLogEvents (API reference, 2014-03-28): events in the order of their times; at most 24 hours between the first and the
last; at most 10,000 events and 1,048,576 bytes, an event counting 26 bytes more than its text; an event at most 256 KiB; none more
than 2 hours ahead or 14 days back.
"""

import datetime
from typing import NamedTuple

OVERHEAD = 26
BATCH_BYTES = 1_048_576
BATCH_EVENTS = 10_000
EVENT_BYTES = 256 * 1024 - OVERHEAD
SPAN = 24 * 3600 * 1000 - 1
AHEAD = 2 * 3600 * 1000 - 60_000
BACK = 14 * 24 * 3600 * 1000 - 3600_000


class Event(NamedTuple):
    at: int  # milliseconds since 1970
    text: str
    place: object  # where the source goes on once this event was taken; None: not yet


def in_range(event: Event, now: int) -> Event:
    """An event that CloudWatch would reject for its time gets one that it takes, and says its own."""
    if now - BACK <= event.at <= now + AHEAD:
        return event
    try:
        own = datetime.datetime.fromtimestamp(event.at / 1000, datetime.timezone.utc).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):
        own = str(event.at)
    return Event(now if event.at > now else now - BACK, "[%s] %s" % (own, event.text), event.place)


def pieces(event: Event):
    """A text that is too long for one event, as several; the last one has the place."""
    raw = event.text.encode("utf-8", "replace") or b" "
    if len(raw) <= EVENT_BYTES:
        yield Event(event.at, raw.decode(), event.place)
        return
    start = 0
    while start < len(raw):
        end = min(start + EVENT_BYTES, len(raw))
        while end < len(raw) and raw[end] & 0xC0 == 0x80:  # not within a character
            end -= 1
        yield Event(event.at, raw[start:end].decode(), event.place if end == len(raw) else None)
        start = end


def batches(events, now: int):
    """Lists of events, each one a request. The last event of a list, in the order in which they came, has the place."""
    batch, size, low, high = [], 0, 0, 0
    for event in events:
        for piece in pieces(in_range(event, now)):
            bytes_more = len(piece.text.encode()) + OVERHEAD
            lowest, highest = min(low, piece.at), max(high, piece.at)
            if batch and (len(batch) == BATCH_EVENTS or size + bytes_more > BATCH_BYTES or highest - lowest > SPAN):
                yield batch
                batch = []
            if not batch:
                size, lowest, highest = 0, piece.at, piece.at
            batch.append(piece)
            size, low, high = size + bytes_more, lowest, highest
    if batch:
        yield batch
