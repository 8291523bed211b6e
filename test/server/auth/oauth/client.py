"""Connects with Python's MCP client: prints the authorization URL, reads the callback's URL, and prints the tools."""

import asyncio
import sys
from urllib.parse import parse_qs, urlparse

from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata


class Kept:
    tokens = None
    client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


async def redirect(url):
    print(url, flush=True)


async def callback():
    query = parse_qs(urlparse(sys.stdin.readline().strip()).query)
    return AuthorizationCodeResult(**{name: query[name][0] for name in ("code", "state", "iss")})


async def main(url):
    metadata = OAuthClientMetadata(client_name="Python", redirect_uris=["http://localhost:45679/callback"])
    auth = OAuthClientProvider(url, metadata, Kept(), redirect, callback)
    async with create_mcp_http_client(auth=auth) as http, streamable_http_client(url, http_client=http) as streams:
        async with ClientSession(streams[0], streams[1]) as session:
            await session.initialize()
            print(" ".join(tool.name for tool in (await session.list_tools()).tools), flush=True)


asyncio.run(main(sys.argv[1]))
