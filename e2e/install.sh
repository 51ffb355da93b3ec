#!/usr/bin/env bash
# Installs the programs that the tests put around the server: proxies, Supervisor, Chromium, Redis and databases, from Debian's packages.
set -euo pipefail
missing=()
[[ -x /usr/sbin/nginx ]] || command -v nginx >/dev/null || missing+=(nginx)
[[ -n ${CHROMIUM:-} || -x /usr/bin/chromium ]] || missing+=(chromium)
command -v redis-server >/dev/null && command -v redis-cli >/dev/null || missing+=(redis-server)
[[ -x /usr/sbin/mariadbd ]] || command -v mariadbd >/dev/null || missing+=(mariadb-server)
command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
[[ -e /usr/lib/nginx/modules/ngx_stream_module.so ]] || missing+=(libnginx-mod-stream)
[[ -x /usr/sbin/haproxy ]] || command -v haproxy >/dev/null || missing+=(haproxy)
command -v caddy >/dev/null || missing+=(caddy)
command -v promtool >/dev/null || missing+=(prometheus)
command -v supervisord >/dev/null && command -v supervisorctl >/dev/null || missing+=(supervisor)
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v php >/dev/null || missing+=(php-cli)
command -v systemd-socket-activate >/dev/null || missing+=(systemd)
[[ ${#missing[@]} = 0 ]] && exit 0
if ! command -v apt-get >/dev/null; then
  echo "install these first: ${missing[*]}" >&2
  exit 1
fi
sudo=; [[ $(id -u) = 0 ]] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q
# The tests start their own nginx, Redis and databases: the packages must not start theirs on the usual ports.
$sudo env RUNLEVEL=1 apt-get install -y -q --no-install-recommends "${missing[@]}"
