"""House targets: sizes, nesting, docstrings, names, and what templates must not hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sources import PACKAGES, ROOT, python_files

FILE_LINES = 500
FUNCTION_LINES = 60
NESTING = 3
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "base", "manager"}
SOURCES = list(python_files(*PACKAGES))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
_BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith, ast.Match)
_SQL = re.compile(
    r"\b(SELECT .+ FROM|INSERT INTO|UPDATE .+ SET|DELETE FROM|CREATE (TABLE|INDEX))\b"
)
_SQL_PLACES = re.compile(
    r"mailcore/(store/(batch_|index)\w*\.py|queue/batch_\w+\.py|checks\.py"
    r"|store/verify\w*\.py|directory/resolve\.py"
    r"|management/commands/(verify|audit)_\w+\.py)$"
)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _depth(node: ast.AST, depth: int = 0) -> int:
    deepest = depth
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        is_elif = isinstance(node, ast.If) and node.orelse == [child] and isinstance(child, ast.If)
        deeper = depth + int(isinstance(child, _BLOCKS) and not is_elif)
        deepest = max(deepest, _depth(child, deeper))
    return deepest


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_module_keeps_the_limits(path: Path):
    text = path.read_text()
    tree = ast.parse(text)
    assert len(text.splitlines()) <= FILE_LINES
    assert [node.name for node in _functions(tree) if _length(node) > FUNCTION_LINES] == []
    assert [node.name for node in _functions(tree) if _depth(node) > NESTING] == []
    assert path.stem not in FORBIDDEN_NAMES
    assert not text or ast.get_docstring(tree), "opens with what it is"


def _percentile(values: list[int], share: float) -> int:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def test_files_and_functions_stay_small_on_the_whole():
    files = [len(path.read_text().splitlines()) for path in SOURCES]
    functions = [_length(node) for p in SOURCES for node in _functions(ast.parse(p.read_text()))]
    assert _percentile(files, 0.5) <= 130
    assert _percentile(files, 0.95) <= 350
    assert _percentile(functions, 0.5) <= 9
    assert _percentile(functions, 0.95) <= 35


def _sql(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    strings = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in docstrings)
    return [n.value for n in strings if isinstance(n.value, str) and _SQL.search(n.value)]


def test_sql_stands_only_where_it_is_allowed():
    found = {_name(path): _sql(path) for path in SOURCES if not _SQL_PLACES.search(_name(path))}
    assert {name: strings for name, strings in found.items() if strings} == {}


def test_only_the_settings_read_the_environment():
    readers = [
        p for p in SOURCES if re.search(r"os\.environ\b(?!\.setdefault)|getenv", p.read_text())
    ]
    assert [_name(path) for path in readers] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_template_has_no_inline_code_and_trusts_nothing(path: Path):
    text = path.read_text()
    assert not re.search(r"\|\s*safe\b|\{%\s*autoescape off", text)
    assert not re.search(r"\sstyle=|<style\b", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S", text)
    assert not re.search(r"\son[a-z]+=\"", text)
