#!/bin/sh
# What CI asks of the code besides its tests. `check.sh lint|types|layers` runs one part.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"

part_lint() {
    ruff check .
    ruff format --check .
}

part_types() {
    mypy manage.py mailcore webmail tests bench
}

part_layers() {
    lint-imports
}

part_django() {
    # As in production: whatever the caller's environment says, `check --deploy` judges this.
    data=$(mktemp -d)
    trap 'rm -rf "$data"' EXIT
    export DATA_DIR="$data" DATABASE_URL="sqlite:///$data/check.sqlite3" DEBUG=false
    export PUBLIC_URL=https://mail.example ALLOWED_HOSTS=mail.example CASILLA_HOSTNAME=mail.example
    SECRET_KEY=$(python -c 'import secrets; print(secrets.token_urlsafe(50))')
    SECRETS_KEY=$(python -c 'import secrets; print(secrets.token_urlsafe(50))')
    export SECRET_KEY SECRETS_KEY
    # What the machine that checks does not have: a certificate of an authority, a large disk.
    : >"$data/certificate.pem"
    export TLS_CERT="$data/certificate.pem" OUTBOUND_MODE=direct DISK_FREE_MIN=0
    python manage.py makemigrations --check --dry-run
    python manage.py check --deploy --fail-level WARNING --database default
}

part_catalogues() {
    pytest -q tests/webmail/test_catalogues.py
}

for part in ${1:-lint types layers django catalogues}; do
    echo "== $part"
    "part_$part"
done
