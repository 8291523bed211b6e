# shellcheck shell=bash
# shellcheck disable=SC2153 # RELEASE and FILES are read from desired.json by mcp-edge-pull
# The first boot: data volume, the machine's files by their hash, release, and mcp-edge-setup.

tools() {
  local tool
  for tool in curl zstd openssl update-ca-certificates; do
    command -v "$tool" >/dev/null || { install_tools; return; }
  done
}

install_tools() {
  local try
  for try in 1 2 3 4 5; do
    if apt-get update -q -o DPkg::Lock::Timeout=120 &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=120 curl zstd openssl ca-certificates; then
      return 0
    fi
    sleep $((try * 5))
  done
  return 1
}

# put_files HASH: every file of the archive at its place, once all hashes are verified
put_files() {
  local new=/var/lib/mcp-edge/files/new
  read_archive "$INCOMING/files-$1.tar" "$1" "$new" && cut -d ' ' -f 2- "$new/MANIFEST" | put_all "$new" || return 1
  mv -f "$new/MANIFEST" /var/lib/mcp-edge/files/MANIFEST && rm -rf "$new"
}

first_boot() {
  put_files "$FILES" || return 1
  printf '%s\n' "$RELEASE" >/etc/mcp-edge/release
  watched boot mcp-edge-setup || return 1
  [ "$(mcp-edge-deploy status --json | fields release)" = "$RELEASE" ]
}
