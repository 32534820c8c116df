# What a person types. Needs Python >= 3.11 and make; scripts/setup.sh brings the rest.
PY = .venv/bin/python

.PHONY: help run test check bench crash compose-test lint types layers fmt clean

help:
	@echo 'make run    start Casilla on 127.0.0.1 (data under var/)'
	@echo 'make test   the test suite: SQLite, and PostgreSQL and Chromium where found'
	@echo 'make check  what CI asks of the code besides tests: lint, types, layers, migrations'
	@echo 'make fmt    format the code'
	@echo 'make crash  kill processes under load and count the mail (ROUNDS=100)'
	@echo 'make compose-test  the compose stack for real, where a Docker engine is'
	@echo 'make bench  measure beside Postfix, Dovecot and Roundcube (ROUNDS=3)'

run:
	@sh scripts/setup.sh run
	@exec $(PY) manage.py serve

test:
	@sh scripts/setup.sh dev
	@sh scripts/test.sh

check:
	@sh scripts/setup.sh dev
	@sh scripts/check.sh

lint types layers:
	@sh scripts/setup.sh dev
	@sh scripts/check.sh $@

fmt:
	@sh scripts/setup.sh dev
	@.venv/bin/ruff check --fix-only --quiet .
	@.venv/bin/ruff format .

crash:
	@sh scripts/setup.sh dev
	@$(PY) -m tests.crash --rounds $${ROUNDS:-100}

compose-test:
	@sh scripts/setup.sh dev
	@sh tests/compose/run.sh

bench:
	@sh scripts/setup.sh dev
	@$(PY) -m bench --rounds $${ROUNDS:-3}

clean:
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .bench
