# shellcheck shell=bash
# The certificate that NGINX serves: checks a pair of certificate and key, and puts it where NGINX reads it at the next handshake.
TLS=/srv/mcp-edge/tls

# problem_of FULLCHAIN KEY [even-expired]: prints why the pair cannot serve DOMAIN; nothing if it can
problem_of() {
  local file
  for file in "$1" "$2"; do [ -s "$file" ] || { echo "$file is missing or empty"; return; }; done
  [ "$(openssl x509 -in "$1" -noout -pubkey 2>&1)" = "$(openssl pkey -in "$2" -pubout 2>&1)" ] || { echo "the key $2 does not belong to $1"; return; }
  openssl x509 -in "$1" -noout -checkhost "$DOMAIN" | grep -q 'does match' || { echo "$1 is not for $DOMAIN"; return; }
  [ "${3:-}" = even-expired ] || openssl x509 -in "$1" -noout -checkend 0 >/dev/null 2>&1 || echo "$1 has expired by this machine's clock ($(date -u +%FT%TZ))"
}

# put FULLCHAIN KEY: writes a new generation folder to the disk, then switches the symlink to it in one step. The previous generation
# stays for open handshakes. Each step is checked, because the callers' conditions turn `set -e` off in here.
put() {
  local gen old dir
  gen=$(mktemp -d "$TLS/gen.XXXXXX") || return 1
  if install -m 0640 -g www-data "$1" "$gen/fullchain.pem" && install -m 0640 -g www-data "$2" "$gen/privkey.pem" &&
    chgrp www-data "$gen" && chmod 0750 "$gen" && cmp -s "$1" "$gen/fullchain.pem" && cmp -s "$2" "$gen/privkey.pem" &&
    sync "$gen/fullchain.pem" "$gen/privkey.pem" && old=$(readlink "$TLS/live" || true) &&
    ln -sfn "${gen##*/}" "$TLS/live.new" && mv -fT "$TLS/live.new" "$TLS/live"; then
    for dir in "$TLS"/gen.*; do
      [ "${dir##*/}" = "${gen##*/}" ] || [ "${dir##*/}" = "$old" ] || rm -rf "$dir"
    done
    return 0
  fi
  rm -rf "$gen"
  return 1
}

# install_lineage FOLDER [even-expired]: 0: NGINX serves it; 1: it cannot serve; 2: it cannot be written. $why says why.
install_lineage() {
  why=$(problem_of "$1/fullchain.pem" "$1/privkey.pem" "${2:-}")
  [ -z "$why" ] || return 1
  ! cmp -s "$1/fullchain.pem" "$TLS/live/fullchain.pem" || ! cmp -s "$1/privkey.pem" "$TLS/live/privkey.pem" || return 0
  put "$1/fullchain.pem" "$1/privkey.pem" || {
    why="cannot write to $TLS ($(df -h --output=avail "$TLS" | tail -n 1 | tr -d ' ') free); is it full or read-only? See: df -h $TLS; findmnt -T $TLS"
    return 2
  }
  say "installed $(openssl x509 -in "$1/fullchain.pem" -noout -serial -enddate | tr '\n' ' ')"
}

# second_of FULLCHAIN startdate|enddate: the first or the last second, since 1970
second_of() { date -d "$(openssl x509 -in "$1" -noout "-$2" | cut -d = -f 2)" +%s; }

# due FULLCHAIN: whether less than a third of the lifetime is left; of one under ten days, less than a half. certbot has the same rule.
due() {
  local from to
  from=$(second_of "$1" startdate)
  to=$(second_of "$1" enddate)
  [ $(((to - from < 864000 ? 2 : 3) * (to - $(date +%s)))) -lt $((to - from)) ]
}

# has_our_names FULLCHAIN: whether it is for our names and no other. One for DOMAIN alone serves until the next one.
has_our_names() {
  local names
  names=$(openssl x509 -in "$1" -noout -ext subjectAltName 2>/dev/null | grep -o 'DNS:[^, ]*' | sort)
  [ "$names" = "$(printf 'DNS:%s\n' "$DOMAIN" ${TOKEN_DOMAIN:+"$TOKEN_DOMAIN"} | sort)" ]
}
