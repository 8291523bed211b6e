"""One Python MCP client against one server: connects, lists the tools, calls one, closes. Prints what it saw as JSON.

Arguments: the client's name, the server's URL, a bearer token. Ends with 1 and the client's own words on an error.
"""

import asyncio
import json
import sys

CLIENT, URL, TOKEN = sys.argv[1:4]
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
TOOL = "search_text"
# As the frameworks below hand on what a model leaves out.
ARGUMENTS = {"query": "needle", "repo": None, "globs": None, "max_results": None}


def report(tools, text):
    print(json.dumps({"tools": sorted(tools), "text": str(text)}))


async def mcp1():
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async with streamablehttp_client(URL, headers=HEADERS) as (read, write, _):
        async with ClientSession(read, write) as session:
            await session.initialize()
            tools = (await session.list_tools()).tools
            result = await session.call_tool(TOOL, ARGUMENTS)
            report([t.name for t in tools], result.content[0].text)


async def mcp2():
    from mcp import Client
    from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

    async with create_mcp_http_client(headers=HEADERS) as http:
        async with Client(streamable_http_client(URL, http_client=http)) as client:
            tools = (await client.list_tools()).tools
            result = await client.call_tool(TOOL, ARGUMENTS)
            report([t.name for t in tools], result.content[0].text)


async def fastmcp():
    from fastmcp import Client
    from fastmcp.client.transports import StreamableHttpTransport

    async with Client(StreamableHttpTransport(URL, auth=TOKEN)) as client:
        tools = await client.list_tools()
        result = await client.call_tool(TOOL, ARGUMENTS)
        report([t.name for t in tools], result.content[0].text)


async def langchain():
    from langchain_mcp_adapters.client import MultiServerMCPClient

    server = {"transport": "streamable_http", "url": URL, "headers": HEADERS}
    tools = await MultiServerMCPClient({"edge": server}).get_tools()
    tool = next(t for t in tools if t.name == TOOL)
    report([t.name for t in tools], await tool.ainvoke(ARGUMENTS))


async def mcp_use():
    from mcp_use import MCPClient
    from mcp_use.agents.adapters.langchain_adapter import LangChainAdapter

    client = MCPClient.from_dict({"mcpServers": {"edge": {"url": URL, "headers": HEADERS}}})
    try:
        await client.create_all_sessions()
        adapter = LangChainAdapter()
        await adapter.create_all(client)
        # The adapter itself fills null into every optional argument.
        tool = next(t for t in adapter.tools if t.name == TOOL)
        report([t.name for t in adapter.tools], await tool.ainvoke({"query": "needle"}))
    finally:
        await client.close_all_sessions()


async def openai_agents():
    from agents.mcp import MCPServerStreamableHttp

    async with MCPServerStreamableHttp(params={"url": URL, "headers": HEADERS}) as server:
        tools = await server.list_tools()
        result = await server.call_tool(TOOL, ARGUMENTS)
        report([t.name for t in tools], result.content[0].text)


async def pydantic_ai():
    from fastmcp.client.transports import StreamableHttpTransport
    from pydantic_ai.mcp import MCPToolset

    async with MCPToolset(StreamableHttpTransport(URL, headers=HEADERS)) as server:
        tools = await server.list_tools()
        report([t.name for t in tools], await server.direct_call_tool(TOOL, ARGUMENTS))


def crewai():
    from crewai_tools import MCPServerAdapter

    server = {"url": URL, "transport": "streamable-http", "headers": HEADERS}
    with MCPServerAdapter(server, connect_timeout=20) as tools:
        # The adapter itself fills null into every optional argument.
        tool = next(t for t in tools if t.name == TOOL)
        report([t.name for t in tools], tool.run(query="needle"))


run = globals()[CLIENT.replace("-", "_")]
if asyncio.iscoroutinefunction(run):
    asyncio.run(run())
else:
    run()
