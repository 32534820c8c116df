"""Fixtures of the console's tests: an operator who is signed in, and hostile strings."""

from __future__ import annotations

import pytest
from django.test import Client

from mailcore.models.identity import User
from tests.support.people import make_operator

HOSTILE = "<script>alert(1)</script>\"'&\u202e\u2066{{ 7|add:7 }}"


@pytest.fixture
def operator(db) -> User:
    return make_operator("admin")


@pytest.fixture
def console(operator) -> Client:
    """The operator, signed in."""
    client = Client()
    client.force_login(operator)
    return client


def assert_escaped(page: bytes, text: str = HOSTILE) -> None:
    """The page shows the text and lets none of it be markup."""
    assert b"<script>alert" not in page
    assert b"&lt;script&gt;alert" in page
