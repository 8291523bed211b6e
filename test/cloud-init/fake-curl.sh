#!/bin/bash
# Plays the servers' admin sockets and the edge: not ready when server.mjs says `unready`, 502 when NGINX proxies elsewhere.
for word; do
  if [[ $word = /run/mcp-edge/*.sock ]]; then
    colour=${word##*/}
    colour=${colour%.sock}
    if grep -q unready "/opt/mcp-edge/$colour/server.mjs"; then
      [[ $* = *-fs* ]] || echo '{"ready":false,"why":"no tokens"}'
      exit 22
    fi
    exit 0
  fi
done
if grep -q 127.0.0.1:8081 /etc/nginx/mcp-edge/upstreams.conf; then echo -n 502; else echo -n 200; fi
