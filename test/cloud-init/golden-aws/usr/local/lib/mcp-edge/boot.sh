
tools() {
  command -v zstd curl >/dev/null && return 0
  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends curl zstd ca-certificates
}

put_files() {
  local archive=$INCOMING/files-$1.tar new=/var/lib/mcp-edge/files/new sum mode path
  rm -rf "$new"
  mkdir -p "$new"
  tar --no-same-owner -xf "$archive" -C "$new" || return 1
  [ "$(sha256sum <"$new/MANIFEST")" = "$1  -" ] || { echo "mcp-edge-pull: the MANIFEST in $archive does not have the hash $1" >&2; return 1; }
  while read -r sum mode _ path; do
    [[ $path = /* && $path != *..* && $mode =~ ^0[0-7]{3}$ && "$(sha256sum <"$new$path")" = "$sum  -" ]] ||
      { echo "mcp-edge-pull: $archive: $path is damaged" >&2; return 1; }
  done <"$new/MANIFEST"
  while read -r _ mode _ path; do install -D -m "$mode" "$new$path" "$path.mcp-edge-new" && mv -f "$path.mcp-edge-new" "$path" || return 1; done <"$new/MANIFEST"
  mv -f "$new/MANIFEST" /var/lib/mcp-edge/files/MANIFEST && rm -rf "$new"
}

first_boot() {
  put_files "$FILES" || return 1
  printf '%s\n' "$RELEASE" >/etc/mcp-edge/release
  watched boot mcp-edge-setup || return 1
  [ "$(mcp-edge-deploy status --json | field release)" = "$RELEASE" ] || return 1
  local timer
  for timer in /etc/systemd/system/mcp-edge-*.timer; do
    systemctl -q enable --now "${timer##*/}" || return 1
  done
}
