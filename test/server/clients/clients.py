"""The Python clients against one server: what each of them found, as JSON. Arguments: URL, token, "mcp" or "fastmcp"."""

import asyncio
import json
import sys

URL, TOKEN, KIND = sys.argv[1:4]
NEEDLE = {"query": "needle", "path": "src"}


def report(version, tools, call, resource, templates, prompts, prompt, completion, told, elicited):
    print(
        json.dumps(
            {
                "version": version,
                "tools": [t.name for t in tools],
                "match": call.structured_content["matches"][0]["path"],
                "resource": resource[0].text,
                "template": templates[0].uri_template,
                "prompts": [p.name for p in prompts],
                "prompt": prompt.messages[0].content.text[:40],
                "completion": completion,
                "progress": told,
                "elicited": elicited,
            }
        )
    )


async def with_mcp():
    from mcp import ClientSession, types
    from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

    async def answer(context, params):
        return types.ElicitResult(action="accept", content={"username": "ada", "email": "a@example.com"})

    http = create_mcp_http_client(headers={"Authorization": f"Bearer {TOKEN}"})
    async with http, streamable_http_client(URL, http_client=http) as streams:
        async with ClientSession(streams[0], streams[1], elicitation_callback=answer) as session:
            opened = await session.initialize()
            told = []

            async def progress(done, total, message):
                told.append(done)

            await session.call_tool("test_tool_with_progress", {}, progress_callback=progress)
            elicited = await session.call_tool("test_elicitation", {"message": "Who?"})
            completion = await session.complete(
                types.ResourceTemplateReference(type="ref/resource", uri="repo://{repo}/{+path}"),
                {"name": "path", "value": "src/m"},
                {"repo": "sample"},
            )
            report(
                opened.protocol_version,
                (await session.list_tools()).tools,
                await session.call_tool("search_text", NEEDLE),
                (await session.read_resource("repo://sample/src/main.ts")).contents,
                (await session.list_resource_templates()).resource_templates,
                (await session.list_prompts()).prompts,
                await session.get_prompt("onboard", {}),
                completion.completion.values,
                told,
                elicited.content[0].text,
            )


async def with_fastmcp():
    from fastmcp import Client
    from fastmcp.client.transports import StreamableHttpTransport

    told = []

    async def progress(done, total, message):
        told.append(done)

    async def answer(message, response_type, params, context):
        return {"username": "ada", "email": "a@example.com"}

    async with Client(StreamableHttpTransport(URL, auth=TOKEN), elicitation_handler=answer) as client:
        await client.call_tool("test_tool_with_progress", {}, progress_handler=progress)
        elicited = await client.call_tool("test_elicitation", {"message": "Who?"})
        from mcp import types

        completion = await client.complete(
            types.ResourceTemplateReference(type="ref/resource", uri="repo://{repo}/{+path}"),
            {"name": "path", "value": "src/m"},
            {"repo": "sample"},
        )
        report(
            client.protocol_version,
            await client.list_tools(),
            await client.call_tool("search_text", NEEDLE),
            await client.read_resource("repo://sample/src/main.ts"),
            await client.list_resource_templates(),
            await client.list_prompts(),
            await client.get_prompt("onboard", {}),
            completion.values,
            told,
            elicited.content[0].text,
        )


asyncio.run(with_mcp() if KIND == "mcp" else with_fastmcp())
