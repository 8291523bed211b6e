"""flood.py handshakes ADDRESS[,ADDRESS...] COUNT | forged COUNT | short COUNT | tcp ADDRESS COUNT SECONDS | malformed ADDRESS COUNT | datagrams ADDRESS COUNT: bounded floods against the machine of edge-and-clients.ts, or against TARGET4."""
import os
import random
import socket
import struct
import sys
import time

kind, *rest = sys.argv[1:]
IPV4, IPV6 = os.environ.get("TARGET4", "198.51.100.1"), "2001:db8:1:1::1"


def initial():
    """A packet that begins like a QUIC Initial (RFC 9000, section 17.2.2) and cannot be decrypted."""
    return b"\xc0\x00\x00\x00\x01\x08" + os.urandom(8) + b"\x00\x00\x44\xb0" + bytes(1178)


if kind == "handshakes":
    for address in rest[0].split(","):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.bind((address, 0))
            for _ in range(int(rest[1])):
                s.sendto(initial(), (IPV6 if ":" in address else IPV4, 443))
elif kind == "datagrams":
    # Malformed in many ways: noise, an unknown version, a version negotiation, cut off, a length beyond the end, nothing, a short header.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((rest[0], 0))
        for number in range(int(rest[1])):
            good = initial()
            forms = [
                os.urandom(random.randrange(1, 1500)),
                good[:1] + b"\xfa\xce\xb0\x0c" + good[5:],
                good[:1] + bytes(4) + good[5:],
                good[: random.randrange(1, 30)],
                good[:15] + b"\x7f\xff" + good[17:],
                good[:5] + b"\xff" + good[6:],
                b"",
                b"\x40" + os.urandom(random.randrange(0, 60)),
            ]
            s.sendto(forms[number % len(forms)], (IPV4, 443))
elif kind in ("forged", "short"):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
        for _ in range(int(rest[0])):
            payload = initial()[:200] if kind == "forged" else b"\x40" + os.urandom(40)
            source = struct.pack("!BBBB", 203, 0, 113, random.randrange(1, 255))
            udp = struct.pack("!HHHH", random.randrange(1024, 65535), 443, 8 + len(payload), 0) + payload
            header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, source, socket.inet_aton(IPV4))
            s.sendto(header + udp, (IPV4, 0))
elif kind == "tcp":
    address, count = rest[0], int(rest[1])
    held, refused = [], 0
    for _ in range(count):
        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        s.settimeout(60)  # a refused one is reset at once; NGINX may stand still while its queue is full
        s.bind((address, 0))
        try:
            s.connect((IPV6 if ":" in address else IPV4, 443))
            held.append(s)
        except OSError:
            refused += 1
    print(len(held), refused, flush=True)
    time.sleep(float(rest[2]))
elif kind == "malformed":
    # No TLS; a ClientHello that is too short; a record that is too long.
    messages = [b"SSH-2.0-scan\r\n", b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", b"\x16\x03\x01\xff\xff" + bytes(4096)]
    address, count = rest[0], int(rest[1])
    for number in range(count):
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as s:
            s.settimeout(0.5)
            s.bind((address, 0))
            try:
                s.connect((IPV6 if ":" in address else IPV4, 443))
                s.sendall(messages[number % len(messages)])
                s.recv(100)
            except OSError:  # refused, reset or, once banned, no answer
                pass
