"""The peer: the same tool by FastMCP, mounted in FastAPI, served by Hypercorn with one worker."""

import asyncio
import sys

from fastapi import FastAPI
from fastmcp import FastMCP
from hypercorn.asyncio import serve
from hypercorn.config import Config

mcp = FastMCP("peer")


@mcp.tool
def echo(text: str) -> dict:
    """Gives the text back."""
    return {"text": text}


@mcp.tool
def large() -> dict:
    """Answers 40 KB in all, as text and again as structure."""
    return {"text": "x" * 20_000}


edge = mcp.http_app(path="/mcp")
app = FastAPI(lifespan=edge.lifespan)
app.mount("/", edge)

config = Config()
config.bind = [f"127.0.0.1:{sys.argv[1]}"]
asyncio.run(serve(app, config))
