#!/usr/bin/env bash
# Runs sections 1 to 10 of the Autobahn testsuite against an echo server over package poller, over TCP and over TLS.
# Installs what is missing into a folder of the user's cache. Fails unless every case is OK, NON-STRICT or
# INFORMATIONAL. Sections 12 and 13 are of compression, which is never negotiated.
#
#   internal/autobahn/run.sh [CASES]     such as 6.* or 9.3.1,9.4.1
#
# Needs Go, and Python 3.8 to 3.12 (with lib2to3) or Debian's packages and root. Reports: tmp/autobahn.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/tmp/autobahn
cache=${XDG_CACHE_HOME:-$HOME/.cache}/reverb-autobahn
suite=25.10.1 # the version of the testsuite
cases=${1:-1.*,2.*,3.*,4.*,5.*,6.*,7.*,9.*,10.*}
limit=300     # seconds for one transport; half a minute is usual

rm -rf "$out"
mkdir -p "$out" "$cache"

usable() { "$1" -W ignore -c 'import lib2to3, autobahn.twisted.websocket' 2>>"$out/setup.log"; }

# Prints a Python that has lib2to3, to convert the suite, and autobahn, to run it.
find_python() {
	local p
	for p in "$cache/venv/bin/python" /usr/bin/python3; do
		if [[ -x $p ]] && usable "$p"; then
			echo "$p"
			return
		fi
	done
	for p in python3.12 python3.11 python3.10 python3.9 python3; do
		if command -v "$p" >/dev/null && "$p" -W ignore -c 'import lib2to3, venv, ensurepip' 2>>"$out/setup.log" &&
			make_venv "$p" >>"$out/setup.log" 2>&1; then
			echo "$cache/venv/bin/python"
			return
		fi
	done
	if command -v apt-get >/dev/null && [[ $(id -u) = 0 ]]; then
		apt-get update >>"$out/setup.log" 2>&1
		apt-get install -y --no-install-recommends python3-twisted python3-autobahn python3-lib2to3 python3-venv \
			>>"$out/setup.log" 2>&1
		usable /usr/bin/python3 && echo /usr/bin/python3
	fi
}

# Releases that are known to go together; autobahn 22.7.1 needs a setuptools that still has pkg_resources.
make_venv() {
	"$1" -m venv --clear "$cache/venv" &&
		AUTOBAHN_USE_NVX=0 AUTOBAHN_STRIP_XBR=1 "$cache/venv/bin/pip" install --quiet \
			'setuptools<81' 'autobahn==22.7.1' 'twisted==22.10.0' 'txaio>=21.2.1,<25' 'attrs>=21' &&
		usable "$cache/venv/bin/python"
}

# Fetches the suite's source and converts it, once.
convert() {
	if [[ ! -e $cache/src-$suite/done ]]; then
		rm -rf "$cache/src-$suite"
		"$python" -m venv --clear "$cache/pip"
		"$cache/pip/bin/pip" install --quiet 'setuptools<81' wheel
		"$cache/pip/bin/pip" download --quiet --no-deps --no-binary :all: --no-build-isolation \
			-d "$cache/src-$suite" "autobahntestsuite==$suite"
		tar -x -z -f "$cache/src-$suite"/autobahntestsuite-*.tar.gz -C "$cache/src-$suite"
		touch "$cache/src-$suite/done"
	fi
	"$python" -W ignore "$here/convert.py" \
		"$(dirname "$(find "$cache/src-$suite" -path '*/autobahntestsuite/fuzzing.py')")" "$out/suite"
}

# fuzz FOLDER CASES: one run against the server at $addr.
fuzz() {
	mkdir -p "$1"
	timeout "$limit" "$python" -W ignore "$here/fuzzclient.py" "$out/suite" "ws://$addr" "$1" "$2" >"$1/run.log" 2>&1
}

# judge NAME [FLAG]: start the server, run the cases, stop the server, which must end well too.
judge() {
	local name=$1 failed status=0
	coproc SERVER { exec "$out/echo" "${@:2}" 2>"$out/$name.log"; }
	local pid=$SERVER_PID input=${SERVER[1]}
	read -r addr <&"${SERVER[0]}"

	fuzz "$out/$name" "$cases" || status=$?
	echo "autobahn, $name: $(tail -n 1 "$out/$name/run.log")"
	# Many cases allow half a second, which a busy machine can miss: a few failures are run once more, alone.
	failed=$(cat "$out/$name/not-passed" 2>/dev/null || true)
	if [[ $status = 1 && -n $failed && $(tr -cd , <<<"$failed" | wc -c) -lt 10 ]]; then
		status=0
		fuzz "$out/$name-again" "$failed" || status=$?
		echo "autobahn, $name, again: $(tail -n 1 "$out/$name-again/run.log")"
	fi

	exec {input}>&-
	wait "$pid" || { echo "autobahn, $name: the server ended with status $?: $(tail -n 3 "$out/$name.log")"; status=1; }
	return "$status"
}

python=$(find_python)
if [[ -z $python ]]; then
	echo "autobahn: no Python with lib2to3 and autobahn could be had, see $out/setup.log" >&2
	exit 1
fi
if ! convert >>"$out/setup.log" 2>&1; then
	echo "autobahn: the testsuite could not be had, see $out/setup.log" >&2
	exit 1
fi
(cd "$root" && go build -o "$out/echo" ./internal/autobahn/echo)

status=0
judge tcp || status=1
judge tls -tls || status=1
exit "$status"
