
touched() { # EXTENDED-REGEX
  local path
  for path in "${TOUCHED[@]}"; do [[ $path =~ $1 ]] && return 0; done
  return 1
}

try() {
  local words
  words=$("$@" 2>&1) && return 0
  complain "this failed: $*"
  printf '%s\n' "$words" >&2
  return 1
}

nginx_sockets() { cat /etc/nginx/nginx.conf /etc/nginx/mcp-edge/*.conf 2>/dev/null | grep -E '^ *(listen|quic_bpf|quic_host_key|user) ' || true; }
nginx_workers() { [ ! -s /run/nginx/nginx.pid ] || pgrep -d , -P "$(cat /run/nginx/nginx.pid)" || true; }

judge() {
  local fine=0 path name
  if touched '^/etc/nginx/'; then try nginx -t -q || fine=1; fi
  if touched '^/etc/nftables.conf$'; then try nft -c -f /etc/nftables.conf || fine=1; fi
  if touched '^/etc/fail2ban/'; then try fail2ban-client -t || fine=1; fi
  if touched '^/etc/ssh/' && systemctl -q is-active ssh.service; then try /usr/sbin/sshd -t || fine=1; fi
  for path in "${TOUCHED[@]}"; do
    [[ $path =~ ^/etc/systemd/system/([^/]+)$ && -e $path ]] || continue
    name=${BASH_REMATCH[1]/@./@$(active_colour).}
    [[ $name != *@.* ]] || continue # a template, and no colour to judge it by yet
    try systemd-analyze verify --man=no "$name" || fine=1
  done
  if touched '^/etc/systemd/system/nginx.service.d/'; then try systemd-analyze verify --man=no nginx.service || fine=1; fi
  for path in "${TOUCHED[@]}"; do
    [[ $path =~ ^/usr/local/(sbin|lib/mcp-edge)/|/restart\.d/ && -e $path ]] || continue
    if [[ $path = *.py ]] || head -n 1 "$path" | grep -q '^#!.*python3'; then
      try python3 -IBc 'import sys; compile(open(sys.argv[1]).read(), sys.argv[1], "exec")' "$path" || fine=1
    else
      try bash -n "$path" || fine=1
    fi
  done
  return "$fine"
}

apply() {
  if touched '^/usr/local/lib/mcp-edge/packages$'; then try install_packages || return 1; fi
  if touched '^/usr/local/share/ca-certificates/'; then try update-ca-certificates || return 1; fi
  if touched '^/etc/sysusers.d/'; then try systemd-sysusers || return 1; fi
  if touched '^/etc/tmpfiles.d/'; then try systemd-tmpfiles --create mcp-edge.conf || return 1; fi
  if touched '^/etc/systemd/system/'; then try systemctl daemon-reload || return 1; fi
  if touched '^/etc/systemd/journald'; then try systemctl restart systemd-journald.service || return 1; fi
  if touched '^/etc/sysctl.d/'; then try /usr/lib/systemd/systemd-sysctl || return 1; fi
  if touched '^/etc/ssh/' && systemctl -q is-active ssh.service; then try systemctl reload ssh.service || return 1; fi
  if touched '^/etc/nftables.conf$'; then try nft -f /etc/nftables.conf || return 1; fi
  apply_units || return 1
  apply_server || return 1
  apply_nginx || return 1
  if touched '^/etc/fail2ban/'; then try systemctl restart fail2ban.service || return 1; fi
  if touched '^/etc/mcp-edge/edge.env$|^/etc/letsencrypt/cli.ini$'; then
    try systemctl restart mcp-edge-tls.service || return 1
    try systemctl restart --no-block mcp-edge-cert.service || return 1
    try systemctl restart --no-block mcp-edge-workspace.service || return 1
  fi
}

apply_units() {
  local path name
  for path in "${TOUCHED[@]}"; do
    name=${path##*/}
    [[ $path =~ ^/etc/systemd/system/mcp-edge-[a-z]+\.(timer|service)$ ]] || continue
    if [ ! -e "$path" ]; then
      systemctl -q stop "$name" 2>/dev/null || true
      rm -f /etc/systemd/system/*.wants/"$name"
      continue
    fi
    if grep -qx '\[Install\]' "$path"; then try systemctl -q enable "$name" || return 1; fi
    if [[ $name = *.timer ]]; then try systemctl restart "$name" || return 1; fi
  done
}

RESTART=
LEAVE_SERVER=

server_outdated() {
  [ -n "$WANTED$RESTART" ] || return 1
  [ -n "$RESTART" ] || [ "$(active_release)" != "$WANTED" ] || ! healthy "$(active_colour)"
}

apply_server() {
  local active sha
  active=$(active_colour)
  sha=${WANTED:-$(active_release)}
  if touched '/mcp-edge\.socket$'; then # the one change that closes the socket for a moment
    try systemctl stop mcp-edge@blue.service mcp-edge@green.service mcp-edge.socket || return 1
    try systemctl start mcp-edge.socket || return 1
    [ -z "$active" ] || try systemctl start "$(unit "$active")" || return 1
  fi
  [ -n "$sha" ] && [ -z "$LEAVE_SERVER" ] || return 0
  if touched '^/etc/mcp-edge/server.env$|/mcp-edge@\.service(\.d/|$)' || server_outdated; then take_over "$sha" || return 1; fi
}

apply_nginx() {
  if touched '/nginx\.service\.d/' || { touched '^/etc/nginx/' && [ "$(nginx_sockets)" != "$SOCKETS_BEFORE" ]; }; then
    try systemctl restart nginx.service || return 1
  elif touched '^/etc/nginx/'; then
    local before end=$((SECONDS + 10))
    before=$(nginx_workers)
    try systemctl reload-or-restart nginx.service || return 1
    while [ -n "$before" ] && ps -o pid= -p "$before" >/dev/null; do
      if [ "$SECONDS" -ge "$end" ]; then
        complain "NGINX did not take the new files:"
        tail -n 5 /var/log/nginx/error.log >&2
        return 1
      fi
      sleep 0.1
    done
  fi
}

EDGE_SECONDS=10
check_edge() {
  local code end=$((SECONDS + EDGE_SECONDS)) DOMAIN
  . /etc/mcp-edge/edge.env
  while :; do
    code=$(curl -sk -o /dev/null -w '%{http_code}' --max-time 5 --resolve "$DOMAIN:443:127.0.0.1" "https://$DOMAIN/readyz") || true
    if [ "$code" = 200 ] || { [ -z "$(active_colour)" ] && [ "$code" != 000 ]; }; then return 0; fi
    if [ "$SECONDS" -ge "$end" ]; then
      complain "https://$DOMAIN/readyz on 127.0.0.1 answers '$code', not 200"
      return 1
    fi
    sleep 0.3
  done
}
