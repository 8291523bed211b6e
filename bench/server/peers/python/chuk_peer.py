"""The peer chuk-mcp-server. Argument: the port."""

import sys

from chuk_mcp_server import ChukMCPServer

mcp = ChukMCPServer("peer", "1")


@mcp.tool
def echo(text: str) -> dict:
    """Gives the text back."""
    return {"text": text}


@mcp.tool
def large() -> dict:
    """Answers 40 KB in all, as text and again as structure."""
    return {"text": "x" * 20_000}


mcp.run(host="127.0.0.1", port=int(sys.argv[1]), debug=False)
