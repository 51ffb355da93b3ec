#!/usr/bin/env bash
# pair.sh PORT PUBLISH_PORT: two nodes of the program in REVERB (bin/reverb) and their Redis, until it is ended. For profiles/latency.toml, from
# the root of the tree. The variables that name the app are those of the caller.
set -euo pipefail
dir=$(mktemp -d)
finish() {
	trap - EXIT TERM INT
	kill $(jobs -p) 2>/dev/null || true
	wait
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 0' TERM INT

redis=$((20000 + RANDOM % 9000)) # below the ports that the system gives away
redis-server --port $redis --bind 127.0.0.1 --save "" --appendonly no --dir "$dir" >/dev/null &
for port in "$2" "$1"; do # the bench waits for the first one, and then all are there
	REVERB_SERVER_HOST=127.0.0.1 REVERB_SERVER_PORT=$port REVERB_SCALING_ENABLED=true REDIS_PORT=$redis "${REVERB:-bin/reverb}" start >/dev/null &
	until curl -sf -o /dev/null "http://127.0.0.1:$port/ready"; do sleep 0.1; done
done
wait -n
