"""relay.py: passes datagrams of one local client to the machine, as a home router does. On SIGUSR1 it uses another port from then on."""
import select
import signal
import socket

client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.bind(("127.0.0.1", 443))


def outside():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("198.51.100.2", 0))
    s.connect(("198.51.100.1", 443))
    s.setblocking(False)  # what select reported may be the previous socket
    return s


server = outside()


def change(*_):
    global server
    server = outside()


signal.signal(signal.SIGUSR1, change)
address = None
while True:
    try:
        ready, _, _ = select.select([client, server], [], [])
        if client in ready:
            data, address = client.recvfrom(65535)
            server.send(data)
        elif address:
            client.sendto(server.recv(65535), address)
    except (OSError, ValueError):
        pass
