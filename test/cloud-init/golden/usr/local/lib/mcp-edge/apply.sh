
needs() {
  local rule
  for rule in "${RULES[@]}"; do [[ ,${rule%% *}, = *,$1,* ]] && return 0; done
  return 1
}

when() {
  local change=$1
  shift
  ! needs "$change" || try "$@"
}

apply() {
  when install-packages install_packages || return 1
  when update-ca-certificates update-ca-certificates || return 1
  when create-accounts systemd-sysusers || return 1
  when create-folders systemd-tmpfiles --create mcp-edge.conf || return 1
  when daemon-reload systemctl daemon-reload || return 1
  when restart-journald systemctl restart systemd-journald.service || return 1
  when load-sysctl /usr/lib/systemd/systemd-sysctl || return 1
  if needs reload-sshd && systemctl -q is-active ssh.service; then try systemctl reload ssh.service || return 1; fi
  when load-firewall nft -f /etc/nftables.conf || return 1
  apply_units || return 1
  apply_server || return 1
  apply_nginx || return 1
  when reload-caddy systemctl reload-or-restart caddy.service || return 1
  when restart-fail2ban systemctl restart fail2ban.service || return 1
  when request-certificate systemctl restart mcp-edge-tls.service || return 1
  when request-certificate systemctl restart --no-block mcp-edge-cert.service || return 1
  when update-workspace systemctl restart --no-block mcp-edge-workspace.service || return 1
}

apply_units() {
  local rule changes enables path unit
  for rule in "${RULES[@]}"; do
    read -r changes _ enables path <<<"$rule"
    [[ ,$changes, = *,apply-unit,* ]] || continue
    unit=${path##*/}
    if [ ! -e "$path" ]; then
      systemctl -q stop "${unit/@./@*.}" 2>/dev/null || true
      rm -f /etc/systemd/system/*.wants/"$unit"
      continue
    fi
    if [ "$enables" = "$unit" ]; then try systemctl -q enable "$unit" || return 1; fi
    if [[ $unit = *.timer ]]; then try systemctl restart "$unit" || return 1; fi
  done
}

RESTART=
LEAVE_SERVER=

server_outdated() {
  [ -n "$WANTED$RESTART" ] || return 1
  [ -n "$RESTART" ] || [ "$(active_release)" != "$WANTED" ] || ! healthy "$(active_slot)"
}

apply_server() {
  local active sha
  active=$(active_slot)
  sha=${WANTED:-$(active_release)}
  if needs restart-socket; then # the one change that closes the socket for a moment
    try systemctl stop "$(unit blue)" "$(unit green)" "$APP.socket" || return 1
    try systemctl start "$APP.socket" || return 1
    [ -z "$active" ] || try systemctl start "$(unit "$active")" || return 1
  fi
  [ -n "$sha" ] && [ -z "$LEAVE_SERVER" ] || return 0
  if needs take-over || server_outdated; then take_over "$sha" || return 1; fi
}

apply_nginx() {
  if needs restart-nginx; then
    try systemctl restart nginx.service || return 1
  elif needs reload-nginx && [ ! -e /etc/nginx/nginx.conf ]; then # the kernel forwards from now on
    try systemctl disable --now nginx.service || return 1
  elif needs reload-nginx; then
    try systemctl reload-or-restart nginx.service || return 1
  fi
}

check_forwarding() {
  local own DOMAIN ORIGIN_IPV4
  . /etc/mcp-edge/edge.env
  answers() { curl -sk -o /dev/null --max-time 3 --resolve "$DOMAIN:443:$1" "https://$DOMAIN$APP_READY"; }
  if ! answers "$ORIGIN_IPV4"; then
    echo "the origin $ORIGIN_IPV4 does not answer, so the way to it was not checked"
    return 0
  fi
  if [ -e /etc/systemd/system/mcp-edge-transparent.service ]; then
    try systemctl is-active nginx.service || return 1
    echo "the origin $ORIGIN_IPV4 answers, and NGINX passes connections on to it"
    return
  fi
  own=$(ip -4 -o route get "$ORIGIN_IPV4" | grep -oP '(?<= src )\S+')
  answers "$own" || { complain "https://$DOMAIN$APP_READY is answered by the origin $ORIGIN_IPV4 and not through $own"; return 1; }
  echo "the origin $ORIGIN_IPV4 answers, also through $own"
}

EDGE_SECONDS=10
check_edge() {
  if [ ! -e "/etc/systemd/system/$APP.socket" ]; then
    check_forwarding
    return
  fi
  local code end=$((SECONDS + EDGE_SECONDS)) DOMAIN
  . /etc/mcp-edge/edge.env
  while :; do
    code=$(curl -sk -o /dev/null -w '%{http_code}' --max-time 5 --resolve "$DOMAIN:443:127.0.0.1" "https://$DOMAIN$APP_READY") || true
    if [ "$code" = 200 ] || { [ -z "$(active_slot)" ] && [ "$code" != 000 ]; }; then return 0; fi
    if [ "$SECONDS" -ge "$end" ]; then
      complain "https://$DOMAIN$APP_READY on 127.0.0.1 answers '$code', not 200"
      return 1
    fi
    sleep 0.3
  done
}
