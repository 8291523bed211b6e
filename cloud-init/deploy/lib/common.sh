# shellcheck shell=bash
# shellcheck disable=SC2034 # other parts read these names
# Shared by the parts of mcp-edge-deploy: words, lock, and what runs at the moment.
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

# One run at a time; the lock goes with the process, so a killed run leaves none behind.
lock() {
  exec 9>/run/lock/mcp-edge-deploy.lock
  flock -w "${1:-120}" 9 || die "another run of mcp-edge-deploy holds the lock; look at it with: fuser -v /run/lock/mcp-edge-deploy.lock"
}

unit() { printf 'mcp-edge@%s.service' "$1"; }
other() { if [ "$1" = blue ]; then echo green; else echo blue; fi; }
active_colour() { readlink "$OPT/active" || true; }
# release_of COLOUR: nothing for no colour
release_of() { [ -z "$1" ] || basename "$(readlink "$OPT/$1" 2>/dev/null || true)"; }
active_release() { release_of "$(active_colour)"; }

# running COLOUR: also one that starts, restarts or drains
running() { ! systemctl show -P ActiveState "$(unit "$1")" | grep -qxE 'inactive|failed'; }
healthy() { [ "$(systemctl show -P ActiveState "$(unit "$1")")" = active ] && ready "$1"; }
ready() { curl -fs -o /dev/null --max-time 2 --unix-socket "/run/mcp-edge/$1.sock" http://localhost/readyz; }

wait_ready() { # COLOUR SECONDS
  local end=$((SECONDS + $2))
  until healthy "$1"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

last_lines() { # COLOUR
  complain "last lines of $(unit "$1"):"
  journalctl -q --no-pager -o cat -n 20 --since "${SINCE:-today}" -u "$(unit "$1")" >&2 || true
}

point() { # LINK TARGET: changes a symlink in one step
  ln -sfn "$2" "$1.new" && mv -fT "$1.new" "$1"
}
