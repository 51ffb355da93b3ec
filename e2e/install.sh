#!/usr/bin/env bash
# Installs the programs that the end-to-end tests put around the server: nginx and Chromium, from Debian's packages.
set -euo pipefail
missing=()
[[ -x /usr/sbin/nginx ]] || command -v nginx >/dev/null || missing+=(nginx)
[[ -n ${CHROMIUM:-} || -x /usr/bin/chromium ]] || missing+=(chromium)
[[ ${#missing[@]} = 0 ]] && exit 0
if ! command -v apt-get >/dev/null; then
  echo "install these first: ${missing[*]}" >&2
  exit 1
fi
sudo=; [[ $(id -u) = 0 ]] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q
# nginx-light: the tests start their own nginx; the package must not occupy port 80.
$sudo env RUNLEVEL=1 apt-get install -y -q --no-install-recommends "${missing[@]}"
