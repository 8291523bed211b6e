# shellcheck shell=bash
# Checks the files of RULES with the tools that the table names for them, before anything is applied.

# try COMMAND...: prints what the command says only when it fails
try() {
  local output
  output=$("$@" 2>&1) && return 0
  complain "this failed: $*"
  printf '%s\n' "$output" >&2
  return 1
}

# units_of PATH: the units that a unit file or a drop-in belongs to. A template is checked by its active slot, if there is one.
units_of() {
  local name=${1#/etc/systemd/system/} slot
  name=${name%%/*}
  name=${name%.d}
  case $name in
  *-.service) (cd /etc/systemd/system && printf '%s\n' "${name%.service}"*.service) ;; # a drop-in for all units with this prefix
  *@.*)
    slot=$(active_slot)
    [ -z "$slot" ] || echo "${name/@./@$slot.}"
    ;;
  *) echo "$name" ;;
  esac
}

compiles() { python3 -IBc 'import sys; compile(open(sys.argv[1]).read(), sys.argv[1], "exec")' "$1"; }

validate() {
  local fine=0 rule tool path unit
  local -A tools=() units=()
  for rule in "${RULES[@]}"; do
    read -r _ tool _ path <<<"$rule"
    tools[$tool]=1
    case $tool in
    systemd)
      # The unit of a drop-in that is gone is still there.
      [[ -e $path || $path = *.d/* ]] || continue
      while read -r unit; do units[$unit]=1; done < <(units_of "$path")
      ;;
    bash) [ ! -e "$path" ] || try bash -n "$path" || fine=1 ;;
    python) [ ! -e "$path" ] || try compiles "$path" || fine=1 ;;
    esac
  done
  # A package that is new in this deployment is installed after this: then the program's own start checks its files.
  if [ -n "${tools[nginx]:-}" ] && [ -e /etc/nginx/nginx.conf ] && command -v nginx >/dev/null; then try nginx -t -q || fine=1; fi
  # With Caddy's own account: it opens the logs and the store.
  if [ -n "${tools[caddy]:-}" ] && command -v caddy >/dev/null; then try setpriv --reuid=caddy --regid=caddy --clear-groups caddy validate --config /etc/caddy/Caddyfile || fine=1; fi
  if [ -n "${tools[nft]:-}" ]; then try nft -c -f /etc/nftables.conf || fine=1; fi
  # It refuses a jail whose log does not exist.
  if [ -n "${tools[fail2ban]:-}" ]; then try systemd-tmpfiles --create --prefix=/var/log mcp-edge.conf && try fail2ban-client -t || fine=1; fi
  if [ -n "${tools[sshd]:-}" ] && systemctl -q is-active ssh.service; then try /usr/sbin/sshd -t || fine=1; fi
  if [ "${#units[@]}" -gt 0 ]; then try systemd-analyze verify --man=no "${!units[@]}" || fine=1; fi
  return "$fine"
}
