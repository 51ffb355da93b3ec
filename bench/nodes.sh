#!/usr/bin/env bash
# nodes.sh N PORT: N nodes of bin/reverb and their Redis, behind haproxy on PORT of loopback; until it is ended. For profiles/scaling.toml, from
# the root of the tree. The variables that name the app are those of the caller.
#
# Everything is published to the first node: the client checks the order, and what goes through two nodes may overtake each other.
set -euo pipefail
n=$1 port=$2
dir=$(mktemp -d)
finish() {
	trap - EXIT TERM INT
	kill $(jobs -p) 2>/dev/null || true
	wait
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 0' TERM INT

base=$((20000 + RANDOM % 9000)) # Redis here, the nodes above: below the ports that the system gives away
redis-server --port $base --bind 127.0.0.1 --save "" --appendonly no --dir "$dir" --client-output-buffer-limit pubsub 256mb 64mb 60 >/dev/null &
cat >"$dir/haproxy.cfg" <<END
global
    maxconn $(($(ulimit -n) / 2 - 100))
defaults
    mode http
    timeout connect 5s
    timeout client 10m
    timeout server 10m
    timeout tunnel 10m
frontend site
    bind 127.0.0.1:$port
    use_backend first if { path_beg /apps/ }
    default_backend all
backend first
    server node1 127.0.0.1:$((base + 1))
backend all
    balance leastconn
END
for ((i = 1; i <= n; i++)); do
	REVERB_SERVER_HOST=127.0.0.1 REVERB_SERVER_PORT=$((base + i)) REVERB_SCALING_ENABLED=true REDIS_PORT=$base bin/reverb start >/dev/null &
	echo "    server node$i 127.0.0.1:$((base + i))" >>"$dir/haproxy.cfg"
done
for ((i = 1; i <= n; i++)); do
	until curl -sf -o /dev/null "http://127.0.0.1:$((base + i))/ready"; do sleep 0.1; done
done
haproxy -q -f "$dir/haproxy.cfg" &
wait -n
