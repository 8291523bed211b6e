#!/bin/bash
# Plays systemd for mcp-edge-nginx and mcp-edge-caddy: a unit nginx@N or caddy@N is the process of its pid file.
unit=${!#}
program=${unit%%@*}
generation=${unit#*@}
generation=${generation%.service}
folder=/run/$program/$generation
pid() { cat "$folder/$program.pid" 2>/dev/null; }
runs() { kill -0 "$(pid)" 2>/dev/null; }
case "$* " in
"start nginx@"*) exec nginx -c "$folder/etc/nginx/nginx.conf" ;;
"start caddy@"*)
  HOME=/nonexistent XDG_DATA_HOME=/srv/mcp-edge/caddy setpriv --reuid=caddy --regid=caddy --clear-groups --inh-caps=+net_bind_service --ambient-caps=+net_bind_service \
    caddy run --config "$folder/Caddyfile" >>/caddy.out 2>&1 9>&- &
  echo $! >"$folder/caddy.pid"
  until [ -n "$(ss -Hltn "sport = :$((700 + generation))")" ]; do
    runs || exit 1
    sleep 0.02
  done
  ;;
"stop "*"@*"*) exit 0 ;;
"stop "*"@"*)
  signal=TERM
  [ "$program" != nginx ] || signal=QUIT
  ! runs || kill "-$signal" "$(pid)"
  while runs; do sleep 0.02; done
  ;;
show*@*) if runs; then echo active; else echo inactive; fi ;;
*is-active*) exit 3 ;;
esac
