#!/bin/sh
# `make compose-test`: bring the stack up from a copy of this tree and probe it (tests.compose).
# Runs with this machine's Docker engine, or with COMPOSE_LAB: a script that brings an engine and
# the stack up, runs a probe in it and takes all down: `SCRIPT PROJECT_DIR PROBE...`. Needs the
# ports 25 80 443 465 587 and a quarter of an hour. Says when it does not run.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
lab=${COMPOSE_LAB:-$root/../shared/tools/compose_lab/run.sh}
python=$root/.venv/bin/python

has_engine() { docker compose version && docker info; }

if has_engine >/dev/null 2>&1; then
    with=engine
elif [ -f "$lab" ] && [ "$(id -u)" = 0 ]; then
    with=lab
else
    echo "casilla: NOT RUN: the compose stack (no Docker engine with compose here)" >&2
    if [ -n "${CASILLA_REQUIRE_ALL:-}" ]; then exit 1; else exit 0; fi
fi

# Names of its own: a system that runs on this machine is not to be touched.
export COMPOSE_PROJECT_NAME=casilla-test CASILLA_VERSION=test

copy=$(mktemp -d)/casilla
mkdir "$copy"
trap 'rm -rf "$(dirname "$copy")"' EXIT
(cd "$root" && git ls-files -z --cached --others --exclude-standard | tar -c --null -T - ) | tar -x -C "$copy"
cd "$copy"
sh scripts/make_secrets.sh >/dev/null
# Clients on this machine come in through the engine's gateway, all with its address; what leaves
# goes to a sink of the probe on the same address.
cat >.env <<X
CASILLA_HOSTNAME=mail.lab.test
ACME_EMAIL=internal
SECRETS_DIR=./secrets
OUTBOUND_MODE=direct
OUTBOUND_ALLOW_NETWORKS=172.31.25.1/32
SMTP_ROUTES=*=172.31.25.1:20025
RETRY_SCHEDULE=1s,2s
SEND_UNDO=0s
LIMITS_EXEMPT_NETWORKS=172.31.25.1/32
BLOB_INLINE_MAX=8K
DISK_FREE_MIN=64M
LOG_LEVEL=INFO
X
if [ "$with" = lab ]; then
    bash "$lab" "$copy" "$python" -m tests.compose
else
    take_down() { docker compose down -v -t 30 >/dev/null 2>&1 || :; }
    trap 'take_down; rm -rf "$(dirname "$copy")"' EXIT
    docker compose build --quiet
    docker compose up -d --wait --wait-timeout 240
    "$python" -m tests.compose
fi
