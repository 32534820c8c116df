"""What the deployment's files promise, read from them: no engine is needed."""

from __future__ import annotations

import re
import stat
import subprocess
from typing import Any

import pytest

from tests.compose.yaml_subset import read
from tests.support.sources import ROOT, environment_variables

COMPOSE = read((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OURS = {"web", "smtp", "worker", "worker-default", "beat", "migrate"}
IMAGES = {"proxy": "caddy:2", "postgres": "postgres:17", "redis": "redis:8"}
ROOT_CAN_DO = {"proxy": ["NET_BIND_SERVICE"]}


def test_the_services_are_those_of_the_design():
    assert set(SERVICES) == OURS | set(IMAGES)
    images = {name: SERVICES[name]["image"] for name in SERVICES}
    assert {images[name] for name in OURS} == {"casilla:${CASILLA_VERSION:-local}"}
    assert {name: images[name] for name in IMAGES} == IMAGES


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_is_hardened(name: str):
    service = SERVICES[name]
    assert service["read_only"] == "true"
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == ROOT_CAN_DO.get(name, [])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"].split(":")[0] not in {"", "0", "root"}
    assert "privileged" not in service
    assert {"mem_limit", "pids_limit", "stop_grace_period", "tmpfs"} <= set(service)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_that_stays_has_a_health_check(name: str):
    check = SERVICES[name]["healthcheck"]
    assert "test" in check if name != "migrate" else check == {"disable": "true"}


def test_proxy_and_smtp_share_a_uid_and_the_certificates():
    assert SERVICES["proxy"]["user"] == SERVICES["smtp"]["user"]
    assert "certificates:/certificates:ro" in SERVICES["smtp"]["volumes"]
    with_keys = {name for name in SERVICES if "certificates" in str(SERVICES[name].get("volumes"))}
    assert with_keys == {"proxy", "smtp", "migrate"}


def test_only_the_ports_of_mail_and_web_are_published():
    published = [port.split(":")[0] for one in SERVICES.values() for port in one.get("ports", [])]
    assert sorted(published, key=int) == ["25", "80", "443", "465", "587"]


def test_database_and_broker_are_on_a_network_without_a_way_out():
    assert COMPOSE["networks"]["back"] == {"internal": "true"}
    assert SERVICES["postgres"]["networks"] == SERVICES["redis"]["networks"] == ["back"]
    assert set(SERVICES["proxy"]["networks"]) == {"front"}


def test_what_finishes_has_time_for_it():
    periods = {name: service["stop_grace_period"] for name, service in SERVICES.items()}
    assert periods["worker"] == "15m"  # tasks.FINISH_S and the broker
    assert periods["smtp"] == "45s"  # SMTP_STOP_TIMEOUT and the supervisor's grace


def test_passwords_come_from_files_and_have_no_default():
    text = (ROOT / "docker-compose.yml").read_text()
    for name in (secret.upper() for secret in COMPOSE["secrets"]):
        assert re.findall(rf"{name}(?:_FILE)?: (.+)", text) == [f"/run/secrets/{name.lower()}"]
    assert "POSTGRES_PASSWORD:" not in text
    assert not re.search(r"(?i)(secret|password|key)\w*:-", text)
    files = [secret["file"] for secret in COMPOSE["secrets"].values()]
    assert all(file.startswith("${SECRETS_DIR") for file in files)


@pytest.mark.parametrize("name", ["CASILLA_HOSTNAME", "ACME_EMAIL", "SECRETS_DIR"])
def test_a_missing_value_stops_with_a_sentence_that_names_it(name: str):
    text = (ROOT / "docker-compose.yml").read_text()
    assert re.search(rf"\$\{{{name}:\?set {name} in \.env to \w", text)


def test_every_variable_of_ours_in_the_stack_exists():
    text = (ROOT / "docker-compose.yml").read_text()
    given = {name for one in OURS for name in SERVICES[one]["environment"]} - {"WEB_CONCURRENCY"}
    known = environment_variables()
    assert {name for name in given if not {name, name.removesuffix("_FILE")} & known} == set()
    example = set(re.findall(r"(?m)^#?([A-Z_]+)=", (ROOT / ".env.example").read_text()))
    assert example <= known | set(re.findall(r"\$\{([A-Z_]+)", text))


def test_the_example_gives_no_value_that_somebody_must_choose():
    example = (ROOT / ".env.example").read_text()
    assert "\nCASILLA_HOSTNAME=\n" in example
    assert "\nACME_EMAIL=\n" in example


def test_the_image_is_made_of_python_alone():
    assert "syntax=" not in DOCKERFILE
    stages = dict(re.findall(r"(?m)^FROM (\S+)(?: AS (\S+))?$", DOCKERFILE))
    assert set(stages) == {"python:3.13-slim-trixie"}
    assert re.findall(r"--from=(\S+)", DOCKERFILE) == ["build"]
    assert re.search(r"(?m)^USER 10001:10001$", DOCKERFILE)


def test_the_image_gets_what_runs_and_nothing_else():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    wanted = {line[1:] for line in lines if line.startswith("!")}
    assert wanted == {
        *("manage.py", "pyproject.toml", "uv.lock", "LICENSE"),
        *("mailcore", "webmail", "templates", "static", "locale"),
    }


def test_secrets_are_made_once_long_and_apart(tmp_path):
    script = ["sh", str(ROOT / "scripts/make_secrets.sh"), str(tmp_path / "secrets")]
    subprocess.run(script, check=True, stdout=subprocess.PIPE)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert set(made) == set(COMPOSE["secrets"])
    assert made.pop("smarthost_password") == ""
    assert len(set(made.values())) == 4
    assert all(re.fullmatch(r"[\w-]{64}", secret) for secret in made.values())
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    subprocess.run(script, check=True, stdout=subprocess.PIPE)
    again = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert again == made | {"smarthost_password": ""}


@pytest.mark.parametrize("text", ["a: |\n  b", "? a", "a: *none", "a: {b}", "- a"])
def test_the_reader_of_the_file_refuses_what_it_does_not_know(text: str):
    with pytest.raises((ValueError, KeyError)):
        read(text)
