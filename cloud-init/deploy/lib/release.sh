# shellcheck shell=bash
# shellcheck disable=SC2034 # common.sh reads SINCE
# A release takes over: it starts in the idle slot, on the same socket as the active slot, which then drains.

# clean_up: removes what an interrupted run left: partial folders and links, a running slot that is not the active one
clean_up() {
  rm -rf "$OPT"/releases/*.partial "$OPT"/*.new
  local active slot
  active=$(active_slot)
  for slot in blue green; do
    if [ "$slot" = "$active" ] || ! running "$slot"; then continue; fi
    say "recover: stop $slot, left by an earlier run"
    systemctl -q stop "$(unit "$slot")" || return 1
  done
}

# complete FOLDER: whether an unpacked release holds what a slot is started with
complete() {
  local file
  [ -x "$1/${APP_START[0]}" ] || return 1
  for file in "${APP_START[@]}"; do [ -f "$1/$file" ] || return 1; done
}

unpack() { # SHA
  local folder=$OPT/releases/$1 archive=$DATA/incoming/$1.tar.zst found
  [ -d "$folder" ] && return 0
  [ -f "$archive" ] || { complain "no archive $archive: push the release again (mcp-edge up)"; return 1; }
  say "verify ${1:0:12}"
  found=$(sha256sum <"$archive") || return 1
  found=${found%% *}
  [ "$found" = "$1" ] || {
    rm -f "$archive"
    complain "the archive $archive has the hash $found, not $1: it is damaged or not this release, and was removed; push it again (mcp-edge up)"
    return 1
  }
  say "unpack ${1:0:12}"
  mkdir -p "$folder.partial"
  if ! tar --zstd --no-same-owner --no-same-permissions -xf "$archive" -C "$folder.partial" ||
    ! chmod -R u+rwX,go+rX,go-w "$folder.partial"; then
    complain "cannot unpack $archive (see above); $(df -h --output=avail "$folder.partial" | tail -n 1 | tr -d ' ') are free on $OPT"
    rm -rf "$folder.partial"
    return 1
  fi
  if ! complete "$folder.partial"; then
    rm -rf "$folder.partial"
    complain "$archive does not hold ${APP_START[*]}: it is not a release of $APP"
    return 1
  fi
  sync -f "$folder.partial" && mv -T "$folder.partial" "$folder"
}

set_slot() { # SLOT SHA
  printf 'RELEASE=%s\n' "$2" >"$OPT/$1.env.new" && mv -f "$OPT/$1.env.new" "$OPT/$1.env" && point "$OPT/$1" "releases/$2"
}

# Whether a slot took over in this run.
TAKEN_OVER=0

# take_over SHA: the idle slot runs SHA and becomes the active one; the old one drains. 1: failed, with everything as before
take_over() {
  local old new before
  old=$(active_slot)
  new=$(other_slot "${old:-green}")
  before=$(release_of "$new")
  systemctl start "$APP.socket" || return 1
  systemctl -q stop "$(unit "$new")" || return 1
  set_slot "$new" "$1" || return 1
  SINCE=@$(date +%s)
  say "start $new with ${1:0:12}${old:+ beside $old}"
  if ! systemctl start "$(unit "$new")"; then
    give_up "$new" "$before" "release ${1:0:12} did not start"
    return 1
  fi
  say "wait for $new to be ready (at most $READY_SECONDS s)"
  if ! wait_ready "$new" "$READY_SECONDS"; then
    give_up "$new" "$before" "release ${1:0:12} was not ready within $READY_SECONDS s: $(curl -s --max-time 2 --unix-socket "/run/mcp-edge/$new.sock" "http://localhost$APP_READY" 2>&1 | head -c 600)"
    return 1
  fi
  say "switch to $new"
  point "$OPT/active" "$new" || return 1
  [ -z "$old" ] || drain "$old"
  TAKEN_OVER=1
  if ! wait_ready "$new" 5; then
    [ -z "$old" ] || { systemctl start "$(unit "$old")" && point "$OPT/active" "$old"; }
    give_up "$new" "$before" "release ${1:0:12} failed after it took over"
    return 1
  fi
}

# drain SLOT: its listener closes at once. Open streams have DRAIN_SECONDS more; nothing waits for them.
drain() {
  say "drain $1"
  systemctl -q stop --no-block "$(unit "$1")"
  local end=$((SECONDS + 4))
  while running "$1" && [ "$SECONDS" -lt "$end" ]; do sleep 0.1; done
}

give_up() { # SLOT RELEASE-BEFORE REASON
  complain "$3"
  last_lines "$1"
  systemctl -q stop "$(unit "$1")" || true
  systemctl reset-failed "$(unit "$1")" 2>/dev/null || true
  if [ -n "$2" ] && [ -d "$OPT/releases/$2" ]; then set_slot "$1" "$2"; else rm -f "$OPT/$1" "$OPT/$1.env"; fi
  local active
  active=$(active_slot)
  if [ "$active" = "$1" ]; then rm -f "$OPT/active"; active=; fi
  if [ -n "$active" ]; then complain "$active goes on with release $(release_of "$active" | cut -c 1-12)"; else complain "no release runs"; fi
}

# Keeps the releases that blue and green point to (the last two), their archives, and those that came within the last hour.
prune() {
  local folder name
  for folder in "$OPT"/releases/*; do
    name=${folder##*/}
    [ "$name" = "$(release_of blue)" ] || [ "$name" = "$(release_of green)" ] || rm -rf "$folder"
  done
  find "$DATA/incoming" -maxdepth 1 -name '*.tar.zst' -cmin +60 \
    ! -name "$(release_of blue).tar.zst" ! -name "$(release_of green).tar.zst" -delete
}

# restart: the same release takes over in the other slot, for an environment that changed
restart() {
  clean_up || die "cannot stop what an earlier run left; see: systemctl status '$APP@*'"
  recover
  [ -n "$(active_slot)" ] || die "no release is active yet; deploy one with: mcp-edge up"
  take_over "$(active_release)" || exit 1
  echo "mcp-edge-deploy: done: $(active_slot) runs with the present environment"
}

start() {
  local active
  active=$(active_slot)
  [ -n "$active" ] || die "no release is active yet; deploy one with: mcp-edge up"
  clean_up || true
  systemctl start "$(unit "$active")" || { last_lines "$active"; die "$active did not start"; }
}
