"""mcp-edge-logs: journal and access log to CloudWatch Logs."""
