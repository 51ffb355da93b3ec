#!/bin/sh
# Publishes one event with nothing but curl and openssl, signed as the Pusher libraries do. Credentials: REVERB_APP_* of the environment, or of
# .env in this folder. The address of the server comes first, or is http://127.0.0.1 and REVERB_SERVER_PORT.
set -eu
# setting NAME: its value in the environment, else in .env, which is read and not run: a site's .env is no shell script.
setting() {
  eval "value=\${$1:-}"
  [ -n "$value" ] || [ ! -f .env ] || value=$(sed -n "s/^$1=//p" .env | tail -n 1 | tr -d "\"'\r")
  printf %s "$value"
}
key=$(setting REVERB_APP_KEY) secret=$(setting REVERB_APP_SECRET) path="/apps/$(setting REVERB_APP_ID)/events" port=$(setting REVERB_SERVER_PORT)
[ -n "$key" ] && [ -n "$secret" ] || { echo "there is no REVERB_APP_KEY or no REVERB_APP_SECRET in $(pwd)/.env" >&2; exit 1; }
server=${1:-http://127.0.0.1:${port:-8080}}
body='{"name":"my-event","channel":"my-channel","data":"{\"hello\":\"world\"}"}'
query="auth_key=$key&auth_timestamp=$(date +%s)&auth_version=1.0&body_md5=$(printf %s "$body" | openssl md5 | sed 's/.* //')"
signature=$(printf 'POST\n%s\n%s' "$path" "$query" | openssl dgst -sha256 -hmac "$secret" | sed 's/.* //')
curl -sS --fail-with-body -d "$body" "$server$path?$query&auth_signature=$signature"
echo
