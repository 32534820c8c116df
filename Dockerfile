# The image of every service of ours: web, smtp, workers, beat, migrate (docker-compose.yml).
# The locked packages and the built assets are made in the first stage; the second has no
# compiler, no uv and no right to write.
FROM python:3.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
    UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1
RUN pip install --no-cache-dir --quiet uv
WORKDIR /srv/casilla
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --quiet
COPY . .
RUN DATA_DIR=/tmp/data BUILT_DIR=/srv/casilla/built .venv/bin/python manage.py build_assets \
    && .venv/bin/python -m compileall -q mailcore webmail

FROM python:3.13-slim-trixie
# pg_dump and pg_restore, for `manage.py backup`: Debian 13 has those of PostgreSQL 17.
RUN apt-get update -q \
    && apt-get install -q -y --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*
# One uid for all of ours and for the proxy, whose keys nobody else may read. A new volume takes
# owner and mode from here; the file keeps the proxy's image from putting its own in their place.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/casilla casilla \
    && install -d -o casilla -g casilla -m 0700 /var/lib/casilla /certificates \
    && install -o casilla -g casilla -m 0600 /dev/null /certificates/.casilla
COPY --from=build /srv/casilla /srv/casilla
ENV PATH=/srv/casilla/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MALLOC_ARENA_MAX=2 \
    DATA_DIR=/var/lib/casilla BUILT_DIR=/srv/casilla/built
WORKDIR /srv/casilla
USER 10001:10001
EXPOSE 2525 2587 2465 8000
CMD ["python", "manage.py", "check", "--deploy", "--database", "default"]
