#!/usr/bin/env bash
# A cluster on this machine, restarted under its users: Redis, two nodes under Supervisor, Nginx with TLS in front, a publisher like
# Laravel's and 500 clients. Prints what they saw, and fails if anybody missed an event or saw a member leave. Everything it starts ends
# with it; it writes to a temporary folder only. Needs go, redis-server, supervisor, nginx, openssl and curl.
#
#   deploy/try.sh               restart one node after the other
#   HANDOVER=1 deploy/try.sh    the same with `reverb restart --handover`
#   CLIENTS=2000 RATE=5         more clients, fewer events per second
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PATH=$PATH:/usr/sbin

# The files of this folder with the places and ports of this run. A line that is not there any more is an error.
fill() { # file, old, new, ...
  local text; text=$(<"$1"); shift
  while (($#)); do
    [[ $text == *"$1"* ]] || { echo "no '$1' in it any more" >&2; return 1; }
    text=${text//"$1"/"$2"}; shift 2
  done
  printf '%s\n' "$text"
}

ready() { curl -fsS -o /dev/null -m 2 "http://127.0.0.1:$1/ready" 2>/dev/null; }

wait_ready() { # port
  for _ in {1..100}; do ready "$1" && return; sleep 0.1; done
  echo "the node on port $1 is not ready after ten seconds" >&2
  return 1
}

pid_of() { supervisorctl -c "$work/supervisord.conf" pid "$1"; }

# What a deployment does: one node, wait until it is back, the next.
roll() {
  local flag=() before n
  [[ -n ${HANDOVER:-} ]] && flag=(--handover)
  for n in 1 2; do
    before=$(pid_of "node$n")
    echo "Restarting node $n."
    (cd "$work/node$n" && "$work/reverb" restart "${flag[@]}" >>"$work/restart.log" 2>&1)
    if [[ -z ${HANDOVER:-} ]]; then
      for _ in {1..100}; do [[ $(pid_of "node$n") != "$before" ]] && break; sleep 0.1; done
    fi
    local port=node${n}_port; wait_ready "${!port}"
    sleep "${BETWEEN:-3}" # the balancer finds the node again
  done
}

if [[ ${1:-} == --roll ]]; then roll; exit; fi

for program in go redis-server supervisord supervisorctl nginx openssl curl; do
  command -v "$program" >/dev/null || { echo "$program is not installed; \`make tools\` installs what is missing" >&2; exit 1; }
done

free_port() { # a port that nobody listens on, outside of those that the kernel gives away
  local port
  while port=$((10000 + RANDOM % 20000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

work=$(mktemp -d "${TMPDIR:-/tmp}/rvb.XXXXXX")
pids=()
finish() {
  local status=$? pid
  trap - EXIT INT TERM
  # Clients first, then what they were connected to, the newest first. Everybody is waited for.
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    pid=${pids[i]}
    kill -TERM "$pid" 2>/dev/null || true
    for _ in {1..200}; do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  if ((status)); then
    echo "--- the end of the logs:" >&2
    tail -n 15 "$work"/*.log >&2 2>/dev/null || true
  fi
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

(cd "$here/.." && CGO_ENABLED=0 go build -o "$work/reverb" ./cmd/reverb && CGO_ENABLED=0 go build -o "$work/try" ./deploy/try)

redis_port=$(free_port) node1_port=$(free_port) node2_port=$(free_port) https_port=$(free_port) http_port=$(free_port)
export work node1_port node2_port
app=123456 key=try-key-of-the-script secret=$(openssl rand -hex 16)

redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --appendonly no --dir "$work" >"$work/redis.log" 2>&1 &
pids+=($!)

for n in 1 2; do
  mkdir "$work/node$n"
  port=node${n}_port
  cat >"$work/node$n/config.toml" <<END
[server]
host = "127.0.0.1"
port = ${!port}
drain_timeout = 3
trusted_proxies = ["127.0.0.1"]
control_socket = "$work/node$n/control.sock"
[scaling]
enabled = true
[scaling.redis]
host = "127.0.0.1"
port = $redis_port
[[apps]]
app_id = "$app"
key = "$key"
secret = "$secret"
END
done

mkdir "$work/conf.d"
for n in 1 2; do
  fill "$here/supervisor/reverb.conf" '[program:reverb]' "[program:node$n]" '/srv/site/current' "$work/node$n" \
    '/usr/local/bin/reverb' "$work/reverb" 'user=www-data' '' '/var/log/supervisor/reverb.log' "$work/node$n.log" 'minfds=65536' 'minfds=4096' \
    >"$work/conf.d/node$n.conf"
done
cat >"$work/supervisord.conf" <<END
[unix_http_server]
file=$work/supervisor.sock
[supervisord]
nodaemon=true
logfile=$work/supervisord.log
pidfile=$work/supervisord.pid
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://$work/supervisor.sock
[include]
files = $work/conf.d/*.conf
END
supervisord -c "$work/supervisord.conf" >"$work/supervisord.out.log" 2>&1 &
pids+=($!)

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost \
  -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null
fill "$here/nginx/reverb.conf" 'listen 80;' "listen 127.0.0.1:$http_port;" 'listen 443 ssl;' "listen 127.0.0.1:$https_port ssl;" \
  'server 127.0.0.1:8080 max_fails=0;' \
  "server 127.0.0.1:$node1_port max_fails=0; server 127.0.0.1:$node2_port max_fails=0;" \
  '/etc/letsencrypt/live/ws.example.com/fullchain.pem' "$work/cert.pem" '/etc/letsencrypt/live/ws.example.com/privkey.pem' "$work/key.pem" \
  >"$work/site.conf"
temp=''
for name in client_body proxy fastcgi uwsgi scgi; do temp+="    ${name}_temp_path $work/$name;"$'\n'; done
fill "$here/nginx/nginx.conf" 'user www-data;' 'daemon off;' '/run/nginx.pid' "$work/nginx.pid" 'include /etc/nginx/modules-enabled/*.conf;' '' \
  $'http {\n' $'http {\n'"$temp" '/var/log/nginx' "$work" 'include /etc/nginx/conf.d/*.conf;' '' '/etc/nginx/sites-enabled/*' "$work/site.conf" \
  'worker_rlimit_nofile 131072;' 'worker_rlimit_nofile 8192;' 'worker_connections 65536' 'worker_connections 4096' >"$work/nginx.conf"

wait_ready "$node1_port"
wait_ready "$node2_port"
nginx -c "$work/nginx.conf" -p "$work" -e "$work/error.log" >"$work/nginx.log" 2>&1 &
pids+=($!)
for _ in {1..100}; do curl -fsSk -o /dev/null "https://127.0.0.1:$https_port/up" 2>/dev/null && break; sleep 0.1; done

echo "Redis on $redis_port, nodes on $node1_port and $node2_port under Supervisor, Nginx on $https_port."
"$work/try" --address "127.0.0.1:$https_port" --app "$app" --key "$key" --secret "$secret" --clients "${CLIENTS:-500}" --rate "${RATE:-10}" \
  -- "${BASH_SOURCE[0]}" --roll &
pids+=($!)
wait "${pids[-1]}"
