"""A search as text again, in the words of a language: the opposite of `query.parse`.

`parse(to_text(query))` means what `query` means, with the same nodes.
"""

from __future__ import annotations

from mailcore.search import keys
from mailcore.search.nodes import And, Field, Node, Not, Or, Phrase, Query, Word

_SPANISH_UNITS = {"w": "s", "y": "a"}


def to_text(query: Query, *, language: str) -> str:
    """Return the text of a search, its keys and fixed values in `language` (en or es)."""
    return "" if query.root is None else _write(query.root, language)


def _write(node: Node, language: str) -> str:
    match node:
        case And(children):
            return " ".join(_write(child, language) for child in children)
        case Or(children):
            return " OR ".join(_grouped(child, language, (And, Or)) for child in children)
        case Not(child):
            return "-" + _grouped(child, language, (And, Or, Not))
        case Word(text, is_prefix):
            return text + "*" * is_prefix
        case Phrase(text):
            return f'"{text}"'
        case Field():
            return _field(node, language)


def _grouped(node: Node, language: str, kinds: tuple[type, ...]) -> str:
    text = _write(node, language)
    return f"({text})" if isinstance(node, kinds) else text


def _field(field: Field, language: str) -> str:
    key = keys.key_in(field.key, language=language)
    if field.name:
        key = f"{key}:{field.name}"
        if not field.value and not field.is_phrase:
            return key
    value = field.value
    if field.is_phrase:
        return f'{key}:"{value}"'
    if field.key in {"newer_than", "older_than"}:
        unit = _SPANISH_UNITS.get(value[-1], value[-1]) if language == "es" else value[-1]
        return f"{key}:{value[:-1]}{unit}"
    written = keys.value_in(field.key, value, language=language)
    return f"{key}:{written}{'*' * field.is_prefix}"
