"""aioquic_client.py ADDRESS DOMAIN: one GET /readyz over HTTP/3. Prints the status."""
import asyncio
import sys

from aioquic.asyncio import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.configuration import QuicConfiguration


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)
        self.answered = asyncio.get_event_loop().create_future()

    def quic_event_received(self, event):
        for one in self.http.handle_event(event):
            if isinstance(one, HeadersReceived) and not self.answered.done():
                self.answered.set_result(dict(one.headers)[b":status"].decode())


async def main(address, domain):
    configuration = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name=domain)
    configuration.load_verify_locations("/tmp/ca.pem")
    async with connect(address, 443, configuration=configuration, create_protocol=Client) as client:
        stream = client._quic.get_next_available_stream_id()
        fields = {":method": "GET", ":scheme": "https", ":authority": domain, ":path": "/readyz"}
        client.http.send_headers(stream, [(k.encode(), v.encode()) for k, v in fields.items()], end_stream=True)
        client.transmit()
        print(await asyncio.wait_for(client.answered, 10))


asyncio.run(main(*sys.argv[1:]))
