# shellcheck shell=bash
# How a deployment goes: the object status/<instance>.json, written again with each step.

step() {
  printf 'mcp-edge-pull: %s\n' "$*"
  printf '%s\t%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >>"$WORK/steps"
}

# certificate: what NGINX serves with. "none", "self-signed" (from the first boot until the first real one), "outdated" (issued,
# but by another ACME server than the one that is set) or "issued".
certificate() {
  local names file DOMAIN ACME_SERVER
  # A new machine on the data volume of the one before has a certificate before it has its own files.
  [ -r /etc/mcp-edge/edge.env ] || { echo none; return 0; }
  # shellcheck source=/dev/null
  . /usr/local/lib/mcp-edge/certificate.sh
  file=$(certificate_file)
  # Caddy has none but those of the ACME server that is set.
  if [[ $file = *.crt ]]; then
    if [ -s "$file" ]; then echo issued; else echo none; fi
    return 0
  fi
  names=$(openssl x509 -in "$file" -noout -subject_hash -issuer_hash 2>/dev/null) || { echo none; return 0; }
  [ "$(uniq <<<"$names" | wc -l)" = 2 ] || { echo self-signed; return 0; }
  # shellcheck source=/dev/null
  . /etc/mcp-edge/edge.env
  if grep -qsx "server = $ACME_SERVER" "/srv/mcp-edge/letsencrypt/renewal/$DOMAIN.conf"; then echo issued; else echo outdated; fi
}

# Why the last try to get or install a certificate failed, as certbot or mcp-edge-cert reports it; nothing after a success.
certificate_problem() { head -c 4000 /run/mcp-edge-cert/problem 2>/dev/null || true; }

# What waits for an installation or a reboot, and what has failed; mcp-edge-patches checks once an hour.
updates() { cat /run/mcp-edge-patches/updates 2>/dev/null || true; }
why_reboot() { cat /run/mcp-edge-patches/reboot 2>/dev/null || true; }
failed_units() { systemctl list-units --state=failed --no-legend --plain 2>/dev/null | cut -d ' ' -f 1 || true; }

# report PHASE: boot, files, release, done or failed. Never fails: a status that is not written must stop nothing.
report() {
  local running
  running=$(mcp-edge-deploy status --json 2>/dev/null) || running='{}'
  echo "$1" >"$WORK/phase"
  init_state >"$WORK/init"
  certificate >"$WORK/certificate"
  certificate_problem >"$WORK/certificate-problem"
  updates >"$WORK/updates"
  why_reboot >"$WORK/reboot"
  failed_units >"$WORK/failed-units"
  python3 -I -c '
import json, sys
work, instance, generation, phase, running = sys.argv[1:]
def text(name):
    try:
        return open(work + "/" + name, errors="replace").read()
    except OSError:
        return ""
running = json.loads(running)
steps = [dict(zip(("at", "text"), line.split("\t", 1))) for line in text("steps").splitlines() if "\t" in line]
print(json.dumps({
    "instance": instance, "generation": generation, "phase": phase, "ok": phase == "done",
    "release": running.get("release", ""), "files": running.get("files", ""),
    "certificate": text("certificate").strip(), "certificateProblem": text("certificate-problem").strip(),
    "updates": int(text("updates").strip() or 0), "reboot": text("reboot").strip(), "failedUnits": text("failed-units").split(),
    "cloudInit": text("init").strip(), "steps": steps[-100:], "log": text("log")[-8000:],
}))
' "$WORK" "$INSTANCE" "$GENERATION" "$1" "$running" >"$WORK/status.json" || return 0
  put_object "status/$INSTANCE.json" "$WORK/status.json" || true
}

# How cloud-init ended, for a deployment that is a first boot: "running" while this is part of it, "done" when all
# went well; "degraded done" means that it ignored an error.
init_state() {
  [ "$GENERATION" = "$(cat "$WORK/boot-generation" 2>/dev/null)" ] || return 0
  cloud-init status --format json 2>/dev/null | fields extended_status || true
}

# stale_report: whether the last status is out of date
stale_report() {
  { [ "$(cat "$WORK/init" 2>/dev/null)" = running ] && [ "$(init_state)" != running ]; } ||
    [ "$(cat "$WORK/certificate" 2>/dev/null)" != "$(certificate)" ] ||
    [ "$(cat "$WORK/certificate-problem" 2>/dev/null)" != "$(certificate_problem)" ] ||
    [ "$(cat "$WORK/updates" 2>/dev/null)" != "$(updates)" ] ||
    [ "$(cat "$WORK/reboot" 2>/dev/null)" != "$(why_reboot)" ] ||
    [ "$(cat "$WORK/failed-units" 2>/dev/null)" != "$(failed_units)" ]
}

# watched PHASE COMMAND...: runs the command, adds what it prints to the steps, and reports every second in which there are new ones
watched() {
  local phase=$1 job before=-1 now code=0
  shift
  "$@" >"$WORK/out" 2>&1 &
  job=$!
  while kill -0 "$job" 2>/dev/null; do
    sleep 1
    now=$(stat -c %s "$WORK/out")
    [ "$now" = "$before" ] || { collect_steps; report "$phase"; }
    before=$now
  done
  wait "$job" || code=$?
  collect_steps
  cat "$WORK/out" >>"$WORK/log"
  : >"$WORK/out"
  COLLECTED=0
  return "$code"
}

# The lines that the command has printed since the last call. Those of our own scripts are steps.
COLLECTED=0
collect_steps() {
  local line
  while IFS= read -r line; do
    COLLECTED=$((COLLECTED + 1))
    case $line in mcp-edge-*:*) step "${line#mcp-edge-}" ;; esac
  done < <(tail -n +"$((COLLECTED + 1))" "$WORK/out")
}
