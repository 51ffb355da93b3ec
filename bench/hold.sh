#!/usr/bin/env bash
# hold.sh NODES CONNECTIONS: so many nodes of bin/reverb with one Redis, so many connections on each of them, all on one channel; then one event
# for everybody. From the root of the tree; needs redis-server, curl and openssl, and `ulimit -n` above CONNECTIONS.
set -euo pipefail
nodes=$1 each=$2
dir=$(mktemp -d)
finish() {
	trap - EXIT TERM INT
	kill $(jobs -p) 2>/dev/null || true
	wait
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' TERM INT

base=$((20000 + RANDOM % 9000)) # Redis here, above it the nodes, above them their metrics
export REVERB_APP_ID=hold REVERB_APP_KEY=hold-key REVERB_APP_SECRET=hold-secret
redis-server --port $base --bind 127.0.0.1 --save "" --appendonly no --dir "$dir" >/dev/null &
for ((i = 1; i <= nodes; i++)); do
	printf '[metrics]\nlisten = "127.0.0.1:%d"\n' $((base + nodes + i)) >"$dir/$i.toml"
	REVERB_SERVER_HOST=127.0.0.1 REVERB_SERVER_PORT=$((base + i)) REVERB_SCALING_ENABLED=true REDIS_PORT=$base \
		bin/reverb start --config "$dir/$i.toml" >"$dir/$i.log" 2>&1 &
	servers+=($!)
done
for ((i = 1; i <= nodes; i++)); do
	until curl -sf -o /dev/null "http://127.0.0.1:$((base + i))/ready"; do sleep 0.1; done
done

# signed METHOD PATH NODE [BODY]
signed() {
	local query="auth_key=$REVERB_APP_KEY&auth_timestamp=$(date +%s)&auth_version=1.0" body=${4-}
	[ -z "$body" ] || query+="&body_md5=$(printf %s "$body" | md5sum | cut -d' ' -f1)"
	query+="&auth_signature=$(printf '%s\n/apps/%s%s\n%s' "$1" "$REVERB_APP_ID" "$2" "$query" |
		openssl dgst -sha256 -hmac "$REVERB_APP_SECRET" -r | cut -d' ' -f1)"
	curl -s -X "$1" ${body:+-H "Content-Type: application/json" -d "$body"} "http://127.0.0.1:$((base + $3))/apps/$REVERB_APP_ID$2?$query"
}
# total METRIC, of all nodes
total() {
	for ((i = 1; i <= nodes; i++)); do curl -s "http://127.0.0.1:$((base + nodes + i))/metrics"; done |
		awk -v name="$1" 'index($1, name) == 1 { sum += $2 } END { printf "%d", sum }'
}
memory() { for pid in "${servers[@]}"; do cat /proc/$pid/status; done | awk '/^VmRSS/ { kb += $2 } END { print kb }'; }

empty=$(memory)
for ((i = 1; i <= nodes; i++)); do
	bin/reverb bench idle --quiet --addr 127.0.0.1:$((base + i)) --app-id $REVERB_APP_ID --key $REVERB_APP_KEY --secret $REVERB_APP_SECRET \
		--connections "$each" --channels 1 --duration 10m >/dev/null 2>&1 &
done
echo "connecting $nodes times $each …"
for ((try = 0; $(total reverb_subscriptions) < nodes * each; try++)); do
	[ $try -lt 600 ] || { echo "not all came: $(total reverb_subscriptions)" >&2; exit 1; }
	sleep 0.5
done
used=$(memory)
echo "a node says: $(signed GET /connections 1); all nodes have $((used / 1024)) MiB, $(((used - empty) * 1024 / (nodes * each))) B for each connection"

before=$(total reverb_messages_sent_total) start=$(date +%s%N)
signed POST /events 1 '{"name":"hold","channel":"private-bench-0","data":"{}"}' >/dev/null
until [ $(($(total reverb_messages_sent_total) - before)) -ge $((nodes * each)) ]; do sleep 0.1; done
echo "one event was sent to all within $((($(date +%s%N) - start) / 1000000)) ms"
