# shellcheck shell=bash
# certificate_file: prints the path of the certificate that is served, NGINX's or Caddy's. The file may not be there yet.
certificate_file() {
  local store=/srv/mcp-edge/caddy/certificates DOMAIN ACME_SERVER directory
  # Not Caddy's own file: the image of a local machine has the package in any case.
  if [ ! -e /etc/systemd/system/caddy.service.d/mcp-edge.conf ] || [ ! -r /etc/mcp-edge/edge.env ]; then
    echo /srv/mcp-edge/tls/live/fullchain.pem
    return
  fi
  # shellcheck source=/dev/null
  . /etc/mcp-edge/edge.env
  # Caddy's store has a folder for each ACME server, named by its URL without the scheme.
  directory=${ACME_SERVER#https://}
  directory=${directory%/}
  echo "$store/${directory//[:\/]/-}/$DOMAIN/$DOMAIN.crt"
}
