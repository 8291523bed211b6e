# shellcheck shell=bash
# The Debian packages that /usr/local/lib/mcp-edge/packages names.

missing_packages() {
  local package
  while read -r package; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
  done </usr/local/lib/mcp-edge/packages
}

# install_packages: those that are missing; five tries. A service among them is not started, because its files may not be there yet.
install_packages() {
  local need try done=1
  mapfile -t need < <(missing_packages)
  [ "${#need[@]}" -gt 0 ] || return 0
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  for try in 1 2 3 4 5; do
    if apt-get update -q -o DPkg::Lock::Timeout=120 &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=120 "${need[@]}"; then
      done=0
      break
    fi
    sleep $((try * 5))
  done
  rm -f /usr/sbin/policy-rc.d
  [ "$done" = 0 ] || echo "apt could not install: ${need[*]}" >&2
  return "$done"
}

# upgrade_packages: everything of which apt has a newer version. Without a mirror it fails soon, and the first boot goes on.
upgrade_packages() {
  local options=(-q -o DPkg::Lock::Timeout=120 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 -o Acquire::Retries=2) code=0
  apt-get update "${options[@]}" -o APT::Update::Error-Mode=any || return 1
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod 755 /usr/sbin/policy-rc.d
  DEBIAN_FRONTEND=noninteractive apt-get upgrade -y --with-new-pkgs --no-install-recommends "${options[@]}" || code=$?
  rm -f /usr/sbin/policy-rc.d
  return "$code"
}
