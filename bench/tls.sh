#!/usr/bin/env bash
# tls.sh PORT: the program in REVERB (bin/reverb) behind TLS, until it is ended. For profiles/latency.toml, from the root of the tree. The
# variables that name the app are those of the caller.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'kill $(jobs -p) 2>/dev/null || true; wait; exit 0' TERM INT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
	-keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
printf '[server.tls]\ncert = "%s"\nkey = "%s"\n' "$dir/cert.pem" "$dir/key.pem" >"$dir/config.toml"
REVERB_SERVER_HOST=127.0.0.1 REVERB_SERVER_PORT=$1 "${REVERB:-bin/reverb}" start --config "$dir/config.toml" >/dev/null &
wait -n
