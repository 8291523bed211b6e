FILES=$STATE/files
SOCKETS_BEFORE=
TOUCHED=()

read_archive() {
  local archive=$DATA/incoming/files-$1.tar sum mode group path
  [[ $1 =~ ^[0-9a-f]{64}$ ]] || die "a set of files is named by its sha256 (64 hex digits), not '$1'"
  [ -f "$archive" ] || die "no archive $archive: push the files again (mcp-edge up)"
  rm -rf "$FILES/new"
  mkdir -p "$FILES/new"
  tar --no-same-owner -xf "$archive" -C "$FILES/new" || die "cannot unpack $archive"
  [ "$(sha256sum <"$FILES/new/MANIFEST")" = "$1  -" ] || die "the MANIFEST in $archive does not have the hash $1; push it again (mcp-edge up)"
  while read -r sum mode group path; do
    [[ $path = /* && $path != *..* && $mode =~ ^0[0-7]{3}$ ]] || die "$archive: bad line in MANIFEST: $sum $mode $group $path"
    [ "$(sha256sum <"$FILES/new$path")" = "$sum  -" ] || die "$archive: $path is damaged; push it again (mcp-edge up)"
  done <"$FILES/new/MANIFEST"
}

find_changes() {
  CHANGED=()
  local mode group path
  while read -r _ mode group path; do
    if ! cmp -s "$FILES/new$path" "$path" || [ "0$(stat -c '%a %U %G' "$path")" != "$mode root $group" ]; then
      CHANGED+=("$mode $group $path")
    fi
  done <"$FILES/new/MANIFEST"
  [ -f "$FILES/MANIFEST" ] || return 0
  while read -r _ _ _ path; do
    [ ! -e "$path" ] || awk -v path="$path" '$4 == path { found = 1 } END { exit !found }' "$FILES/new/MANIFEST" ||
      CHANGED+=("- - $path")
  done <"$FILES/MANIFEST"
}

back_up() {
  rm -rf "$FILES/backup.partial"
  mkdir -p "$FILES/backup.partial/tree"
  local entry path
  for entry in "${CHANGED[@]}"; do
    path=${entry##* }
    if [ -e "$path" ]; then
      echo "$path" >>"$FILES/backup.partial/present"
      cp -a --parents "$path" "$FILES/backup.partial/tree" || return 1
    else
      echo "$path" >>"$FILES/backup.partial/absent"
    fi
  done
  sync -f "$FILES" && mv -T "$FILES/backup.partial" "$FILES/backup"
}

put() { # SOURCE MODE GROUP PATH: replaces a file in one step
  local next
  mkdir -p "$(dirname "$4")" || return 1
  next=$(dirname "$4")/.$(basename "$4").mcp-edge-new
  install -m "$2" -o root -g "$3" "$1" "$next" && mv -f "$next" "$4"
}

write_changes() {
  local entry mode group path
  for entry in "${CHANGED[@]}"; do
    read -r mode group path <<<"$entry"
    if [ "$mode" = - ]; then rm -f "$path"; else put "$FILES/new$path" "$mode" "$group" "$path" || return 1; fi
  done
}

put_back() {
  local path
  if [ -f "$FILES/backup/present" ]; then
    while read -r path; do
      put "$FILES/backup/tree$path" "0$(stat -c %a "$FILES/backup/tree$path")" "$(stat -c %G "$FILES/backup/tree$path")" "$path" || return 1
    done <"$FILES/backup/present"
  fi
  if [ -f "$FILES/backup/absent" ]; then
    while read -r path; do rm -f "$path"; done <"$FILES/backup/absent"
  fi
}

paths_of_backup() { cat "$FILES/backup/present" "$FILES/backup/absent" 2>/dev/null; }

files() { # HASH
  mkdir -p "$FILES"
  rm -rf "$FILES/backup.partial"
  if [ -d "$FILES/backup" ]; then
    say "mend: put back the files of an interrupted run"
    put_back || die "cannot put back the files in $FILES/backup"
    mapfile -t TOUCHED < <(paths_of_backup)
    apply || complain "some services did not take the files back; the run goes on"
    rm -rf "$FILES/backup"
  fi
  mend || die "cannot stop what an earlier run left; look with: systemctl status 'mcp-edge@*'"
  say "verify files ${1:0:12}"
  read_archive "$1"
  find_changes
  if [ "${#CHANGED[@]}" -eq 0 ]; then
    keep_manifest
    echo "mcp-edge-deploy: unchanged: the machine has the files ${1:0:12}"
    return 0
  fi
  mapfile -t TOUCHED < <(printf '%s\n' "${CHANGED[@]##* }")
  say "back up"
  SOCKETS_BEFORE=$(nginx_sockets)
  back_up || { rm -rf "$FILES/backup.partial"; die "cannot back up the present files (see above)"; }
  say "write ${#CHANGED[@]} files: ${TOUCHED[*]}"
  if ! write_changes || ! { say "judge"; judge; }; then
    put_back && rm -rf "$FILES/backup"
    die "refused: nothing was applied and the machine's files are as they were"
  fi
  say "apply"
  if apply && { say "check"; check_edge; }; then
    keep_manifest
    rm -rf "$FILES/backup"
    echo "mcp-edge-deploy: done: the machine has the files ${1:0:12}"
    return 0
  fi
  say "go back"
  SOCKETS_BEFORE=$(nginx_sockets)
  if ! put_back || ! apply || ! check_edge; then complain "the machine does not answer after going back; look with: systemctl --failed"; fi
  rm -rf "$FILES/backup"
  die "failed: the machine's files are as they were"
}

keep_manifest() {
  mv -f "$FILES/new/MANIFEST" "$FILES/MANIFEST" && rm -rf "$FILES/new"
}
