#!/bin/sh
# The suite on SQLite, then the same on PostgreSQL where a server answers (TEST_DATABASE_URL or
# one on this machine that lets us in). Only databases that it made itself are touched. What was
# left out is said before the tests and in the last run's summary, whose closing line is pytest's.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
workers=${TEST_WORKERS:-2}

if [ -n "${DATABASE_URL:-}${REDIS_URL:-}" ]; then
    echo "casilla: the tests ignore DATABASE_URL and REDIS_URL; TEST_DATABASE_URL is what they use"
fi

server=$(python -m tests.support.servers postgresql) || server=
if python -m tests.support.servers redis >/dev/null; then redis=yes; else redis=; fi
if python -m tests.support.servers chromium >/dev/null; then browser=yes; else browser=; fi

skipped=
[ -n "$server" ] || skipped="PostgreSQL (no server lets us in: set TEST_DATABASE_URL)"
[ -n "$redis" ] || skipped="${skipped:+$skipped; }Celery on Redis (install redis-server)"
[ -n "$browser" ] || skipped="${skipped:+$skipped; }the browser part (no Chromium: install chromium)"
export CASILLA_NOT_RUN="$skipped"
[ -z "$skipped" ] || echo "casilla: not run: $skipped"
if [ -n "$skipped" ] && [ -n "${CASILLA_REQUIRE_ALL:-}" ]; then exit 1; fi

# By file: the browser tests of a worker must be done before it runs others. In their order: the
# longest files have few tests, and would come last, one after the other.
unset TEST_DATABASE_URL
echo "== SQLite"
pytest -q -n "$workers" --dist loadfile --no-loadscope-reorder "$@"
if [ -n "$server" ]; then
    # The browser sees the same pages there, and pure code knows no database: once is enough.
    echo "== PostgreSQL"
    pure=$(printf -- ' --ignore=tests/%s' browser bench compose mailcore/cards mailcore/dns mailcore/dsn mailcore/fetch \
        mailcore/html mailcore/mime mailcore/search mailcore/smtp)
    # shellcheck disable=SC2086 - a list of options
    TEST_DATABASE_URL=$server pytest -q -n "$workers" --dist loadfile --no-loadscope-reorder \
        $pure "$@"
fi
