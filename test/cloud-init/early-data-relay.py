"""Relays one TLS connection to NGINX, and withholds what NGINX sends until NGINX has closed the connection.

The client can't finish the handshake before that. So NGINX reads and answers its early data as early data, also on a slow host.
"""
import socket
import threading

with socket.create_server(("127.0.0.1", 8443)) as listener:
    client, _ = listener.accept()
server = socket.create_connection(("127.0.0.1", 443))


def forward():
    try:
        while data := client.recv(65_536):
            server.sendall(data)
    except OSError:  # the connection is closed
        pass


threading.Thread(target=forward, daemon=True).start()
answer = b""
while data := server.recv(65_536):
    answer += data
client.sendall(answer)
client.shutdown(socket.SHUT_WR)
