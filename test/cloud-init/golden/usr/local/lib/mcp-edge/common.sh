. /usr/local/lib/mcp-edge/app.sh
OPT=/opt/mcp-edge
DATA=/srv/mcp-edge
STATE=/var/lib/mcp-edge
READY_SECONDS=30

say() { printf 'mcp-edge-deploy: step %s\n' "$*"; }
complain() { printf 'mcp-edge-deploy: %s\n' "$*" >&2; }
die() {
  complain "$*"
  exit 1
}

lock() {
  exec 9>/run/lock/mcp-edge-deploy.lock
  flock -w "${1:-120}" 9 || die "another run of mcp-edge-deploy holds the lock; see who with: fuser -v /run/lock/mcp-edge-deploy.lock"
}

unit() { printf '%s@%s.service' "$APP" "$1"; }
other_slot() { if [ "$1" = blue ]; then echo green; else echo blue; fi; }
active_slot() { readlink "$OPT/active" || true; }
release_of() { [ -z "$1" ] || basename "$(readlink "$OPT/$1" 2>/dev/null || true)"; }
active_release() { release_of "$(active_slot)"; }

running() { ! systemctl show -P ActiveState "$(unit "$1")" | grep -qxE 'inactive|failed'; }
healthy() { [ "$(systemctl show -P ActiveState "$(unit "$1")")" = active ] && ready "$1"; }
ready() { curl -fs -o /dev/null --max-time 2 --unix-socket "/run/mcp-edge/$1.sock" "http://localhost$APP_READY"; }

wait_ready() { # SLOT SECONDS
  local end=$((SECONDS + $2))
  until healthy "$1"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

last_lines() { # SLOT
  complain "last lines of $(unit "$1"):"
  journalctl -q --no-pager -o cat -n 20 --since "${SINCE:-today}" -u "$(unit "$1")" >&2 || true
}

point() { # LINK TARGET: changes a symlink in one step
  ln -sfn "$2" "$1.new" && mv -fT "$1.new" "$1"
}
