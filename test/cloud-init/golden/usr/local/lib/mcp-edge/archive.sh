
read_archive() {
  local archive=$1 folder=$3 sum mode group path
  rm -rf "$folder"
  mkdir -p "$folder" || return 1
  tar --no-same-owner -xf "$archive" -C "$folder" || { echo "cannot unpack $archive" >&2; return 1; }
  [ "$(sha256sum <"$folder/MANIFEST")" = "$2  -" ] || { echo "the MANIFEST in $archive does not have the hash $2" >&2; return 1; }
  while read -r sum mode group path; do
    [[ $path = /* && $path != *..* && $mode =~ ^0[0-7]{3}$ && -n $group ]] || { echo "$archive: bad line in MANIFEST: $sum $mode $group $path" >&2; return 1; }
    [ "$(sha256sum <"$folder$path")" = "$sum  -" ] || { echo "$archive: $path is damaged" >&2; return 1; }
  done <"$folder/MANIFEST"
}

put_all() {
  local mode group path
  while read -r mode group path; do
    if [ "$mode" = - ]; then rm -f "$path"; else put "$1$path" "$mode" "$group" "$path" || return 1; fi
  done
}

put() { # SOURCE MODE GROUP PATH: replaces a file in one step
  local next
  mkdir -p "$(dirname "$4")" || return 1
  next=$(dirname "$4")/.$(basename "$4").mcp-edge-new
  install -m "$2" -o root -g "$3" "$1" "$next" && mv -f "$next" "$4"
}
