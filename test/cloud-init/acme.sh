# Shell for a session of DebianRoot: Pebble with its DNS server, /acme-proxy.py before it, and what the tests do to them. Everything ends
# with the session.
# The ACME server is https://localhost:14000/dir. Its own certificate is from a small authority that the machine trusts.

fake_ca() {
  mkdir -p /fake /usr/local/share/ca-certificates && cd /fake || return 1
  local new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
  # shellcheck disable=SC2086
  openssl req -x509 -days 30 -subj /CN=fake $new -keyout ca.key -out ca.pem
  # shellcheck disable=SC2086
  openssl req $new -subj /CN=localhost -keyout server.key -out server.csr
  printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' >server.ext
  own() { openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile server.ext -out "$@"; }
  own server.pem -days 30
  own expired.pem -not_before 20200101000000Z -not_after 20200201000000Z
  own future.pem -not_before 20990101000000Z -not_after 20990201000000Z
  cat ca.pem >>/etc/ssl/certs/ca-certificates.crt
} >/dev/null 2>&1

up() { # PORT: until something listens there
  for _ in {1..3000}; do
    ! (echo >"/dev/tcp/127.0.0.1/$1") 2>/dev/null || return 0
    sleep 0.02
  done
  echo "nothing listens on port $1"
  return 1
}

pebble_starts() { # [SECONDS that certificates last [PERCENT of nonces that are refused]]
  cat >/fake/pebble.json <<END
{"pebble": {"listenAddress": "127.0.0.1:14001", "managementListenAddress": "127.0.0.1:15000", "certificate": "/fake/server.pem",
 "privateKey": "/fake/server.key", "httpPort": 80, "tlsPort": 443, "certificateValidityPeriod": ${1:-7776000}}}
END
  PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT="${2:-0}" PEBBLE_AUTHZREUSE=0 pebble -config /fake/pebble.json -dnsserver 127.0.0.1:8053 >/fake/pebble.log 2>&1 &
  echo $! >/fake/pebble.pid
  up 14001
}

proxy_starts() { # [CERTIFICATE]
  python3 /acme-proxy.py "${1:-/fake/server.pem}" /fake/server.key >/fake/proxy.log 2>&1 &
  echo $! >/fake/proxy.pid
  up 14000
}

ends() { # pebble|proxy
  kill "$(cat "/fake/$1.pid")"
  for _ in {1..3000}; do
    kill -0 "$(cat "/fake/$1.pid")" 2>/dev/null || return 0
    sleep 0.02
  done
  echo "$1 does not end"
  return 1
}

dns_starts() {
  pebble-challtestsrv -defaultIPv4 127.0.0.1 -defaultIPv6 '' -dns01 127.0.0.1:8053 -http01 '' -https01 '' -tlsalpn01 '' -doh '' \
    -management 127.0.0.1:8055 >/fake/dns.log 2>&1 &
  up 8055
}

# The answer of the proxy to requests that match the pattern
answers() { # PATTERN STATUS PROBLEM DETAIL [HEADERS as JSON]
  printf '{"%s": {"status": %s, "problem": "%s", "detail": "%s", "headers": %s}}' "$1" "$2" "$3" "$4" "${5:-{\}}" >/fake/acme.json
}

# What the ACME server wants is not asked again; from now on it wants a renewal.
wants_renewal() {
  mcp-edge-ari "/srv/mcp-edge/letsencrypt/live/$DOMAIN/fullchain.pem" https://localhost:14000/dir /run/mcp-edge-cert/ari
  sed -i 's/"renew": [^,]*/"renew": 1/; s/"check": [^,}]*/"check": 9999999999/' /run/mcp-edge-cert/ari
  rm -f /run/mcp-edge-cert/renewed-early
}

# The data volume without any room left; with `umount /srv/mcp-edge` it is as before.
fill_data_volume() {
  rm -rf /fake/data && cp -a /srv/mcp-edge /fake/data && mount -t tmpfs -o size=2M tmpfs /srv/mcp-edge && cp -a /fake/data/. /srv/mcp-edge
  dd if=/dev/zero of=/srv/mcp-edge/full bs=4k 2>/dev/null || true
}

# The serial number of the certificate that NGINX serves over TCP
served() {
  openssl s_client -connect 127.0.0.1:443 -servername "$DOMAIN" </dev/null 2>/dev/null | openssl x509 -noout -serial
}
