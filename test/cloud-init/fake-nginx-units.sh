#!/bin/bash
# Plays systemd for mcp-edge-nginx: a unit nginx@N is the process of its pid file.
unit=${!#}
generation=${unit#nginx@}
generation=${generation%.service}
folder=/run/nginx/$generation
runs() { kill -0 "$(cat "$folder/nginx.pid" 2>/dev/null)" 2>/dev/null; }
case "$* " in
"start nginx@"*) exec nginx -c "$folder/etc/nginx/nginx.conf" ;;
"stop nginx@*"*) exit 0 ;;
"stop nginx@"*)
  ! runs || kill -QUIT "$(cat "$folder/nginx.pid")"
  while runs; do sleep 0.02; done
  ;;
show*nginx@*) if runs; then echo active; else echo inactive; fi ;;
*is-active*) exit 3 ;;
esac
