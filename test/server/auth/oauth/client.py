"""Connects with a Python client: prints the authorization URL, waits for the callback, and prints the tools.

Arguments: "mcp", which reads the callback's URL, or "fastmcp", which serves it; the endpoint; the URL of a metadata document, if any.
"""

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


async def with_mcp(url, document):
    metadata = OAuthClientMetadata(client_name="Python", redirect_uris=["http://localhost:45679/callback"])
    auth = OAuthClientProvider(url, metadata, Kept(), redirect, callback, client_metadata_url=document)
    async with create_mcp_http_client(auth=auth) as http, streamable_http_client(url, http_client=http) as streams:
        async with ClientSession(streams[0], streams[1]) as session:
            await session.initialize()
            return (await session.list_tools()).tools


async def with_fastmcp(url, document):
    import logging
    import warnings
    import webbrowser

    from fastmcp import Client
    from fastmcp.client.auth import OAuth

    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    # The test is the browser.
    webbrowser.open = lambda url: print(url, flush=True)
    async with Client(url, auth=OAuth(client_metadata_url=document)) as client:
        return await client.list_tools()


kind, url, document = sys.argv[1], sys.argv[2], (sys.argv + [None])[3]
tools = asyncio.run({"mcp": with_mcp, "fastmcp": with_fastmcp}[kind](url, document))
print(" ".join(tool.name for tool in tools), flush=True)
