#!/bin/bash
# Plays systemd for mcp-edge-deploy: a unit is "active" when it was started. A colour whose server.mjs says `crash` does not start.
state=/var/lib/fake
mkdir -p $state
[[ $1 = -* ]] && shift
verb=$1
shift
unit=
for word; do [[ $word = -* || $word = ActiveState ]] || unit=$word; done
colour=${unit#*@}
colour=${colour%.service}
echo "$verb $unit" >>$state/calls
case $verb in
start)
  if [[ $unit = *@* ]] && grep -q crash "/opt/mcp-edge/$colour/server.mjs"; then exit 1; fi
  touch "$state/$unit"
  ;;
stop) rm -f "$state/$unit" ;;
show) if [ -e "$state/$unit" ]; then echo active; else echo inactive; fi ;;
esac
