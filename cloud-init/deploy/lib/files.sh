# shellcheck shell=bash
# shellcheck disable=SC2034 # validate.sh and apply.sh read RULES and WANTED
# A deployment is a set of files, a release, or both, and one transaction: back up, write what differs, validate, apply, check. When
# one of these fails, or the process is killed, files and release are restored together.
FILES=$STATE/files
TOUCHED=()
RULES=()
TABLE=/usr/local/lib/mcp-edge/files.table
# The release that must run when the files are applied; empty: the one that runs.
WANTED=

# find_changes: CHANGED = files to write or to remove, as "mode group path" or "- - path"
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

# load_rules: RULES = what the tables, the present and the new one, say of TOUCHED: one line a file, "CHANGES VALIDATOR ENABLES PATH".
# A removed file is in the present table alone. A machine that was set up by an earlier version has none.
load_rules() {
  mapfile -t RULES < <(printf '%s\n' "${TOUCHED[@]}" |
    awk 'NR == FNR { touched[$0]; next } $4 in touched' - <(cat "$TABLE" "$FILES/new$TABLE" 2>/dev/null) | sort -u)
}

# back_up: what a rollback needs, complete and on the disk before anything is written
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
  active_release >"$FILES/backup.partial/release"
  sync -f "$FILES" && mv -T "$FILES/backup.partial" "$FILES/backup"
}

# put_back: everything in the backup as it was; a backup exists only while a run is under way or was interrupted
put_back() {
  local path
  if [ -f "$FILES/backup/present" ]; then
    while read -r path; do
      # What was not written yet is left alone: on a full disk this may not work.
      if cmp -s "$FILES/backup/tree$path" "$path" && [ "$(stat -c '%a %G' "$FILES/backup/tree$path")" = "$(stat -c '%a %G' "$path")" ]; then continue; fi
      put "$FILES/backup/tree$path" "0$(stat -c %a "$FILES/backup/tree$path")" "$(stat -c %G "$FILES/backup/tree$path")" "$path" || return 1
    done <"$FILES/backup/present"
  fi
  if [ -f "$FILES/backup/absent" ]; then
    while read -r path; do rm -f "$path"; done <"$FILES/backup/absent"
  fi
}

paths_of_backup() { cat "$FILES/backup/present" "$FILES/backup/absent" 2>/dev/null; }
drop_backup() { sync -f "$FILES" && rm -rf "$FILES/backup"; }

# recover: takes back what an interrupted run has done to files and release
recover() {
  rm -rf "$FILES/backup.partial"
  [ -d "$FILES/backup" ] || return 0
  say "recover: put back the files and the release of an interrupted run"
  put_back || die "cannot put back the files in $FILES/backup"
  mapfile -t TOUCHED < <(paths_of_backup)
  load_rules
  WANTED=$(cat "$FILES/backup/release" 2>/dev/null || true)
  [ -d "$OPT/releases/$WANTED" ] || WANTED=
  apply || complain "some services did not take the files back; the run goes on"
  WANTED=
  drop_backup
}

# recover_at_boot: the same before the services start. They read the files then; a service started from here would wait for this one.
recover_at_boot() {
  [ -d "$FILES/backup" ] || return 0
  say "recover: put back the files and the release of a run that was interrupted when the machine stopped"
  local before slot
  put_back || die "cannot put back the files in $FILES/backup"
  before=$(cat "$FILES/backup/release" 2>/dev/null || true)
  for slot in blue green; do
    if [ -n "$before" ] && [ "$(release_of "$slot")" = "$before" ] && [ -d "$OPT/$slot/" ]; then point "$OPT/active" "$slot"; fi
  done
  drop_backup
  systemctl daemon-reload
}

# deploy FILES-HASH RELEASE [--restart]: either may be empty; --restart: the server is restarted in any case
deploy() {
  local files=$1 sha=$2 restart=${3:-}
  mkdir -p "$FILES"
  clean_up || die "cannot stop what an earlier run left; see: systemctl status '$APP@*'"
  recover
  # First what changes nothing: a damaged archive is found before the files are touched.
  [ -z "$sha" ] || unpack "$sha" || exit 1
  CHANGED=()
  if [ -n "$files" ]; then
    say "verify files ${files:0:12}"
    local archive=$DATA/incoming/files-$files.tar
    [ -f "$archive" ] || die "no archive $archive: push the files again (mcp-edge up)"
    read_archive "$archive" "$files" "$FILES/new" || { rm -f "$archive"; die "the damaged archive was removed; push the files again (mcp-edge up)"; }
    find_changes
  fi
  WANTED=$sha
  RESTART=$restart
  if [ "${#CHANGED[@]}" -gt 0 ]; then
    change_files "$files"
  elif server_outdated; then
    take_over "${WANTED:-$(active_release)}" || { prune; exit 1; }
    [ -z "$files" ] || keep_manifest
    prune
    echo "mcp-edge-deploy: done: $(active_slot) runs release $(active_release | cut -c 1-12)"
  else
    [ -z "$files" ] || { keep_manifest && echo "mcp-edge-deploy: unchanged: the machine has the files ${files:0:12}"; }
    [ -z "$sha" ] || echo "mcp-edge-deploy: unchanged: $(active_slot) runs release ${sha:0:12} and is ready"
  fi
}

change_files() { # FILES-HASH
  mapfile -t TOUCHED < <(printf '%s\n' "${CHANGED[@]##* }")
  say "back up"
  back_up || { rm -rf "$FILES/backup.partial"; die "cannot back up the present files (see above)"; }
  load_rules
  say "write ${#CHANGED[@]} files: ${TOUCHED[*]}"
  if ! printf '%s\n' "${CHANGED[@]}" | put_all "$FILES/new" || ! { say "validate"; validate; }; then
    put_back || die "cannot put back the files in $FILES/backup; the next run tries again"
    drop_backup
    die "refused: nothing was applied and the machine's files are as they were"
  fi
  say "apply"
  if apply && { say "check"; check_edge; }; then
    # In this order: an interrupted run needs $FILES/new to take its files back.
    mv -f "$FILES/new/MANIFEST" "$FILES/MANIFEST"
    drop_backup
    rm -rf "$FILES/new"
    prune
    echo "mcp-edge-deploy: done: the machine has the files ${1:0:12}${WANTED:+ and $(active_slot) runs release ${WANTED:0:12}}"
    return 0
  fi
  say "go back"
  WANTED=$(cat "$FILES/backup/release")
  RESTART=
  # The process that serves is still the one that began with the old files: nothing to start.
  [ "$TAKEN_OVER" = 1 ] || LEAVE_SERVER=1
  put_back || die "cannot put back the files in $FILES/backup; the next run tries again"
  if ! apply || ! check_edge; then complain "the machine does not answer after the rollback; see: systemctl --failed"; fi
  drop_backup
  prune
  die "failed: files and release are as they were"
}

keep_manifest() {
  mv -f "$FILES/new/MANIFEST" "$FILES/MANIFEST" && rm -rf "$FILES/new"
}
