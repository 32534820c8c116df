"""What the engine says of the containers: the rights they have, and what they show to the world."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from tests.compose.stack import PROJECT, Stack, say

_PUBLISHED = {"25", "80", "443", "465", "587"}
_MAY = {"proxy": {"NET_BIND_SERVICE"}}


def gateway_of(stack: Stack) -> str:
    """Return this machine's address on the network of the stack."""
    [proxy] = stack.containers("proxy")
    return str(proxy["NetworkSettings"]["Networks"][f"{PROJECT}_front"]["Gateway"])


def check_containers(stack: Stack) -> None:
    """Assert that each container is as tight as the file says, and which ports are published."""
    published: set[str] = set()
    containers = stack.containers()
    for container in containers:
        host, name = container["HostConfig"], _service(container)
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        added = {word.removeprefix("CAP_") for word in host["CapAdd"] or ()}
        assert added == _MAY.get(name, set()), name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["Memory"] > 0, name
        assert host["PidsLimit"] > 0, name
        assert container["Config"]["User"].split(":")[0] not in {"", "0", "root"}, name
        published |= {port["HostPort"] for one in host["PortBindings"].values() for port in one}
    assert published == _PUBLISHED
    say(f"{len(containers)} containers: no root, nothing writable, no rights; ports {_sorted()}")


def check_missing_values(stack: Stack) -> None:
    """Assert that each value that must be given is asked for by its name."""
    for name in ("CASILLA_HOSTNAME", "ACME_EMAIL", "SECRETS_DIR"):
        done = subprocess.run(
            ["docker", "compose", "config", "--quiet"],
            cwd=stack.directory,
            env=os.environ | {name: ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0, name
        assert f"set {name} in .env" in done.stderr, done.stderr
        say(f"without {name}: {done.stderr.strip().rpartition('value: ')[2]}")


def _service(container: dict[str, Any]) -> str:
    return str(container["Config"]["Labels"]["com.docker.compose.service"])


def _sorted() -> str:
    return " ".join(sorted(_PUBLISHED, key=int))
