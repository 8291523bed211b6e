certificate_file() {
  local store=/srv/mcp-edge/caddy/certificates DOMAIN ACME_SERVER directory
  if [ ! -e /etc/systemd/system/caddy.service.d/mcp-edge.conf ] || [ ! -r /etc/mcp-edge/edge.env ]; then
    echo /srv/mcp-edge/tls/live/fullchain.pem
    return
  fi
  . /etc/mcp-edge/edge.env
  directory=${ACME_SERVER#https://}
  directory=${directory%/}
  echo "$store/${directory//[:\/]/-}/$DOMAIN/$DOMAIN.crt"
}
