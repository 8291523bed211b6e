APP=mcp-edge
APP_START=(bin/node server.mjs)
APP_READY=/readyz
