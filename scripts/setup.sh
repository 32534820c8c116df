#!/bin/sh
# Bring uv and the locked packages: `setup.sh run` what the system needs, `setup.sh dev` all.
# A stamp of the lock file makes the second call free. Touches only .uv/ and .venv/.
set -eu
cd "$(dirname "$0")/.."
want=${1:-dev}

die() {
    echo "casilla: $*" >&2
    exit 1
}

find_python() {
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

find_uv() {
    for candidate in .uv/bin/uv .uv/target/bin/uv uv; do
        if "$candidate" --version >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

bring_uv() {
    echo "casilla: bringing uv into .uv/" >&2
    rm -rf .uv
    if "$python" -m venv .uv >/dev/null 2>&1; then
        .uv/bin/python -m pip install --quiet --disable-pip-version-check uv >&2 ||
            die "pip could not install uv: is the network there?"
        return
    fi
    rm -rf .uv
    "$python" -m pip --version >/dev/null 2>&1 ||
        die "this Python has neither venv nor pip: install the package python3-venv"
    "$python" -m pip install --quiet --disable-pip-version-check --target .uv/target uv >&2 ||
        die "pip could not install uv: is the network there?"
}

sum=$(cat pyproject.toml uv.lock | cksum | tr -d ' ')
stamp() { [ "$(cat ".venv/.stamp-$1" 2>/dev/null)" = "$sum" ]; }
if .venv/bin/python -c '' 2>/dev/null; then
    # The dev set holds all that a run needs.
    if stamp dev || { [ "$want" = run ] && stamp run; }; then exit 0; fi
else
    rm -rf .venv
fi

python=$(find_python) || die "needs Python 3.11 or newer: install the package python3"
uv=$(find_uv) || { bring_uv && uv=$(find_uv); } || die "uv does not start"
export UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT=.venv
echo "casilla: installing the locked packages" >&2
if [ "$want" = run ]; then
    # --inexact: a developer's packages stay.
    "$uv" sync --frozen --quiet --inexact --no-dev --python "$python"
else
    "$uv" sync --frozen --quiet --python "$python"
fi
echo "$sum" >".venv/.stamp-$want"
