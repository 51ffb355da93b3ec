#!/bin/sh
# Publishes one event with nothing but curl and openssl, signed as the Pusher libraries do. Credentials: .env of this folder.
set -eu
. ./.env
body='{"name":"my-event","channel":"my-channel","data":"{\"hello\":\"world\"}"}'
path="/apps/$REVERB_APP_ID/events"
query="auth_key=$REVERB_APP_KEY&auth_timestamp=$(date +%s)&auth_version=1.0&body_md5=$(printf %s "$body" | openssl md5 | sed 's/.* //')"
signature=$(printf 'POST\n%s\n%s' "$path" "$query" | openssl dgst -sha256 -hmac "$REVERB_APP_SECRET" | sed 's/.* //')
curl -sS -d "$body" "http://127.0.0.1:${REVERB_SERVER_PORT:-8080}$path?$query&auth_signature=$signature"
echo
