#!/bin/sh
# Runs sdk.test.mjs against `backstep dev`, or against the server that
# APPWRITE_ENDPOINT, APPWRITE_PROJECT_ID and APPWRITE_API_KEY name.
set -eu
cd "$(dirname "$0")"

if [ -z "${APPWRITE_ENDPOINT:-}" ]; then
	scratch=$(mktemp -d)
	server=
	trap 'test -z "$server" || kill "$server" 2>/dev/null; rm -rf "$scratch"' EXIT
	(cd ../.. && go build -o "$scratch/backstep" ./cmd/backstep)
	"$scratch/backstep" dev --addr 127.0.0.1:0 >"$scratch/env" &
	server=$!
	until grep -q APPWRITE_API_KEY "$scratch/env"; do
		kill -0 "$server" || { echo "backstep dev did not start" >&2; exit 1; }
		sleep 0.1
	done
	set -a
	. "$scratch/env"
	set +a
fi

npm ci --no-audit --no-fund --silent
npm test
