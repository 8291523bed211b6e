. /etc/mcp-edge/aws.env
CREDENTIALS=
CREDENTIALS_UNTIL=0

metadata() { # PATH
  local token
  token=$(curl -fsS --max-time 5 --retry 3 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$IMDS/latest/api/token") || return 1
  curl -fsS --max-time 5 -K - "$IMDS/latest/meta-data/$1" <<<"header = \"X-aws-ec2-metadata-token: $token\""
}

fields() {
  python3 -ISc '
import json, sys
try:
    found = json.load(sys.stdin)
except ValueError:
    found = None
for name in sys.argv[1:]:
    value = found.get(name) if isinstance(found, dict) else None
    print(value if isinstance(value, str) else "")
' "$@"
}

credentials() {
  [ "$SECONDS" -ge "$CREDENTIALS_UNTIL" ] || return 0
  local role answer id key token
  role=$(metadata iam/security-credentials/) && answer=$(metadata "iam/security-credentials/$role") || return 1
  { read -r id && read -r key && read -r token; } < <(fields AccessKeyId SecretAccessKey Token <<<"$answer") || return 1
  CREDENTIALS=$(printf 'user = "%s:%s"\nheader = "x-amz-security-token: %s"' "$id" "$key" "$token")
  CREDENTIALS_UNTIL=$((SECONDS + 300))
}

aws_curl() { # SERVICE CURL-ARGUMENT...
  local service=$1
  shift
  credentials || return 1
  curl -sS --connect-timeout 5 --max-time 600 --aws-sigv4 "aws:amz:$REGION:$service" -K - "$@" <<<"$CREDENTIALS"
}

bucket_url() { # KEY
  if [ -n "$AWS_ENDPOINT_URL" ]; then echo "$AWS_ENDPOINT_URL/$BUCKET/$1"; else echo "https://$BUCKET.s3.$REGION.amazonaws.com/$1"; fi
}

aws_json() {
  aws_curl "$1" -f -X POST -H 'Content-Type: application/x-amz-json-1.1' -H "X-Amz-Target: $2" --data-binary "@$3" \
    "${AWS_ENDPOINT_URL:-https://$1.$REGION.amazonaws.com}/"
}

fetch() {
  local try
  for try in 1 2 3 4; do
    if aws_curl s3 -f -o "$2.partial" "$(bucket_url "$1")" && sync "$2.partial" && mv -f "$2.partial" "$2"; then
      sync "${2%/*}"
      return 0
    fi
    rm -f "$2.partial"
    sleep "$try"
  done
  return 1
}

put_object() { # KEY FILE
  aws_curl s3 -f -o /dev/null -X PUT -H 'Content-Type: application/json' --data-binary "@$2" --max-time 20 "$(bucket_url "$1")"
}

secrets() {
  local body=$WORK/request next=
  : >"$1"
  : >"$2"
  : >"$3"
  while :; do
    printf '{"Path":"%s/env","WithDecryption":true,"MaxResults":10%s}' "$PREFIX" "${next:+,\"NextToken\":\"$next\"}" >"$body"
    next=$(aws_json ssm AmazonSSM.GetParametersByPath "$body" | python3 -I -c '
import json, re, sys
answer = json.load(sys.stdin)
with open(sys.argv[1], "a") as out:
    for parameter in answer["Parameters"]:
        if parameter["Name"].endswith("/WORKSPACE_CREDENTIALS"):
            with open(sys.argv[2], "w") as credentials:
                credentials.write(parameter["Value"])
            continue
        if parameter["Name"].endswith("/IDENTITY_PROVIDER_SECRETS"):
            with open(sys.argv[3], "w") as credentials:
                credentials.write(parameter["Value"])
            continue
        value = re.sub(r"([\\\\\"`$])", r"\\\1", parameter["Value"])
        out.write("%s=\"%s\"\n" % (parameter["Name"].rpartition("/")[2], value))
print(answer.get("NextToken") or "")
' "$1" "$2" "$3") || return 1
    [ -n "$next" ] || return 0
  done
}
