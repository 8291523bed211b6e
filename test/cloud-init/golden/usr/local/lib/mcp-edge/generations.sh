RUN=/run/$PROGRAM
GENERATIONS=12
START_SECONDS=10

say() { printf 'mcp-edge-%s: %s\n' "$PROGRAM" "$*"; }
complain() { printf 'mcp-edge-%s: %s\n' "$PROGRAM" "$*" >&2; }

flows_of_proxies() { :; }
before_first_turn() { :; }

current() { cat "$RUN/current" 2>/dev/null || true; }
unit() { printf '%s@%d.service' "$PROGRAM" "$1"; }
runs() { ! systemctl show -P ActiveState "$(unit "$1")" | grep -qxE 'inactive|failed'; }
running() {
  local n
  for ((n = 1; n <= GENERATIONS; n++)); do ! runs "$n" || echo "$n"; done
}

send_flows_to() {
  { echo 'table inet mcp_edge {'; echo '  chain new_flows {'; flows_of_proxies "$1"
    printf '    meta l4proto { tcp, udp } th dport 443 dnat to :%d\n    tcp dport 80 dnat to :%d\n  }\n}\n' $((700 + $1)) $((720 + $1))
  } >"$RUN/redirect.new" || return 1
  { echo 'flush chain inet mcp_edge new_flows'; cat "$RUN/redirect.new"; } | nft -f - || return 1
  mv -f "$RUN/redirect.new" "$RUN/redirect.nft" && echo "$1" >"$RUN/current.new" && mv -f "$RUN/current.new" "$RUN/current"
}

end() {
  systemctl stop "$(unit "$1")" || return 1
  conntrack -D -p udp --orig-port-dst 443 --reply-port-src $((700 + $1)) >/dev/null 2>&1 || true
  rm -rf "${RUN:?}/$1"
}

replaced() {
  local n
  for n in $(running); do
    [ "$n" = "$(current)" ] || printf '%s %d\n' "$(stat -c %Y "$RUN/$n/replaced" 2>/dev/null || echo 0)" "$n"
  done | sort -n | cut -d ' ' -f 2
}

free_generation() {
  local n next before
  before=$(current)
  for ((n = 0; n < GENERATIONS; n++)); do
    next=$(((${before:-0} + n) % GENERATIONS + 1))
    runs "$next" || { echo "$next"; return; }
  done
  next=$(replaced | head -n 1)
  complain "$GENERATIONS generations run: generation $next ends, with $(connections "$next" || echo '?') connections"
  end "$next" && echo "$next"
}

turn() {
  local old new
  old=$(current)
  new=$(free_generation) || return 1
  if ! copy_files "$new" || ! check_files "$new"; then
    rm -rf "${RUN:?}/$new"
    return 1
  fi
  systemctl reset-failed "$(unit "$new")" 2>/dev/null || true
  if ! systemctl start "$(unit "$new")" || ! answers "$new"; then
    complain "generation $new was not used; the last lines of its journal${LOGS:+ and of $LOGS}:"
    { journalctl -q --no-pager -o cat -n 10 -u "$(unit "$new")"; [ -z "$LOGS" ] || tail -n 5 "$LOGS"; } >&2 || true
    end "$new" || true
    return 1
  fi
  [ -n "$old" ] || before_first_turn
  send_flows_to "$new" || return 1
  say "generation $new has the new flows${old:+; generation $old keeps its own}"
  [ -z "$old" ] || touch "$RUN/$old/replaced" 2>/dev/null || true
}

stop() {
  local n
  rm -f "$RUN/current" "$RUN/redirect.nft"
  nft flush chain inet mcp_edge new_flows 2>/dev/null || true
  systemctl stop "$PROGRAM@*.service" || true
  for n in $(running); do end "$n"; done
}

stream_hours() {
  local STREAM_HOURS=12
  . /etc/mcp-edge/edge.env
  echo "$STREAM_HOURS"
}

reap() {
  local n since count
  for n in $(replaced); do
    since=$(stat -c %Y "$RUN/$n/replaced" 2>/dev/null || echo 0)
    [ $(($(date +%s) - since)) -ge 10 ] || continue
    count=$(connections "$n" || echo '?')
    if [ $(($(date +%s) - since)) -ge $(($(stream_hours) * 3600)) ]; then
      say "generation $n ends: it was replaced $(stream_hours) hours ago, and has $count connections"
    elif [ "$count" != 0 ]; then
      continue
    else
      say "generation $n ends: it has no connections"
    fi
    end "$n"
  done
}

status() {
  local n
  for n in $(running); do
    if [ "$n" = "$(current)" ]; then
      printf 'generation %d: %s connections, has the new flows\n' "$n" "$(connections "$n" || echo '?')"
    else
      printf 'generation %d: %s connections, replaced %s\n' "$n" "$(connections "$n" || echo '?')" "$(date -u -r "$RUN/$n/replaced" +%FT%TZ 2>/dev/null || echo '?')"
    fi
  done
}

alone() {
  exec 9>"$RUN/lock"
  flock -w 120 9 || { complain "another run holds $RUN/lock"; exit 1; }
  "$@" 9>&-
}

restarts() { systemctl list-jobs --no-legend "$PROGRAM.service" | grep -q ' restart '; }
