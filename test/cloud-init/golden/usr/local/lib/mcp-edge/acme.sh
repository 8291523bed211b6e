LETSENCRYPT=/srv/mcp-edge/letsencrypt
CERTBOT_LOG=/var/log/letsencrypt/letsencrypt.log

room() {
  local folder
  for folder in "$TLS" "$LETSENCRYPT" "${CERTBOT_LOG%/*}"; do
    if [ "$(df -k --output=avail "$folder" | tail -n 1)" -lt 512 ]; then
      why="the disk of $folder is full. What takes the space: du -xh -d 2 $(df --output=target "$folder" | tail -n 1) | sort -h | tail"
      return 1
    fi
  done
}

certbot_certonly() {
  local code=0 before
  before=$(stat -c %s "$CERTBOT_LOG" 2>/dev/null || echo 0)
  certbot certonly --cert-name "$DOMAIN" -d "$DOMAIN" ${TOKEN_DOMAIN:+-d "$TOKEN_DOMAIN"} --renew-with-new-domains "$1" >"$RUN/output" 2>&1 || code=$?
  { cat "$RUN/output" && tail -c +"$((before + 1))" "$CERTBOT_LOG"; } >"$RUN/certbot.log" 2>/dev/null || true
  return "$code"
}

said() { grep -qiE "$1" "$RUN/certbot.log"; }

account_is_gone() { said 'accountDoesNotExist|account[^".]*not found|account[^".]*(deactivated|revoked)|account is not valid'; }

forget_account() {
  local host=${ACME_SERVER#*://}
  rm -rf "${LETSENCRYPT:?}/accounts/${host%%/*}"
}

retry_after() {
  local value at now
  now=$(date +%s)
  value=$(sed -n 's/^retry-after: *\([^\r]*\)\r*$/\1/Ip' "$RUN/certbot.log" | tail -n 1)
  if [[ $value =~ ^[0-9]{1,9}$ ]]; then
    at=$((now + value))
  else
    [ -n "$value" ] || value=$(grep -oiE 'retry after [0-9T:. -]+(Z|UTC)' "$RUN/certbot.log" | tail -n 1 | cut -d ' ' -f 3-)
    at=$(date -d "${value:-1 hour}" +%s 2>/dev/null) || at=$((now + 3600))
  fi
  [ "$at" -lt $((now + 604800)) ] || at=$((now + 604800))
  echo "$at"
}

explain() {
  local hook
  if said 'No space left on device|Errno 28|Disk quota exceeded'; then
    echo "a disk is full. See: df -h $LETSENCRYPT /var/log"
  elif said 'certificate verify failed: certificate (has expired|is not yet valid)'; then
    echo "this machine's clock says $(date -u +%FT%TZ), and then the ACME server's own certificate is not valid. Set the clock: timedatectl; systemctl restart systemd-timesyncd chrony"
  elif said 'certificate verify failed'; then
    echo "this machine does not trust the ACME server's own certificate. For a private ACME server set acmeCa; see: curl -sSI $ACME_SERVER"
  elif said 'error:rateLimited'; then
    echo "the ACME server limits requests, and wants none before $(date -u -d "@$(retry_after)" +%FT%TZ). Only waiting helps. The limits: https://letsencrypt.org/docs/rate-limits/"
  elif said 'error:externalAccountRequired'; then
    echo "the ACME server wants an account that exists already (external account binding), which is not supported. Choose another one by the setting acme"
  elif account_is_gone; then
    echo "the ACME server has closed our account, and a new one too. See: certbot show_account"
  elif said 'error:invalidProfile'; then
    echo "the ACME server has no profile \"$ACME_PROFILE\" (setting acmeProfile). It has: $(profiles)"
  elif said 'error:caa'; then
    echo "a CAA record of $DOMAIN forbids it. See: dig CAA $DOMAIN; setting caaIssuer"
  elif hook=$(grep -o 'mcp-edge-dns01: .*' "$RUN/certbot.log" | head -n 1) && [ -n "$hook" ]; then
    echo "${hook#mcp-edge-dns01: }"
  elif said 'error:(dns|connection|unauthorized|incorrectResponse|tls)'; then
    if [ "$ACME_CHALLENGE" = dns-01 ]; then
      echo "the ACME server does not find the record that this machine made. The zone must be the one that answers for $DOMAIN: dig NS $DOMAIN; dig TXT _acme-challenge.$DOMAIN"
    else
      echo "the ACME server does not reach http://$DOMAIN/.well-known/acme-challenge/ on this machine: its records must lead here (A and AAAA), and port 80 must be open. See: dig A $DOMAIN; dig AAAA $DOMAIN; curl -I http://$DOMAIN/"
    fi
  elif said 'Max retries exceeded|Connection (refused|reset|aborted)|timed out|NewConnectionError|NameResolutionError|Remote end closed|HTTP 5[0-9][0-9]|error:(serverInternal|serviceUnavailable|badNonce)'; then
    echo "the ACME server does not answer, or with an error of its own. See whether this machine reaches it: curl -sSI $ACME_SERVER; Let's Encrypt's state: https://letsencrypt.status.io/"
  else
    echo "certbot failed. See: tail -n 50 $CERTBOT_LOG"
  fi
}

profiles() {
  curl -fsS --max-time 10 "$ACME_SERVER" 2>/dev/null |
    python3 -Ic 'import json, sys; print(", ".join((json.load(sys.stdin).get("meta") or {}).get("profiles") or ["none"]))' 2>/dev/null || echo unknown
}

renew_only_ours() {
  local file
  for file in "$LETSENCRYPT"/renewal/*.conf; do
    [ -f "$file" ] || continue
    if [ "${file##*/}" = "$DOMAIN.conf" ]; then
      ! grep -q '^autorenew = ' "$file" || sed -i '/^autorenew = /d' "$file" || true
    elif ! grep -qx 'autorenew = False' "$file"; then
      sed -i '/^autorenew = /d; s/^\[renewalparams\]$/&\nautorenew = False/' "$file" || true
    fi
  done
}
