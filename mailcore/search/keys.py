"""The keys of the search grammar and their fixed values, in English and in Spanish.

English is canonical; the other language's words are understood wherever they are typed. Accents
and letter case do not matter. What a key does to a search is decided by `store.search`.
"""

from __future__ import annotations

from collections.abc import Mapping

from mailcore.search.words import fold

# The first word of a language is the one that is written; the others are understood.
KEYS: Mapping[str, tuple[str, ...]] = {
    "from": ("de",),
    "to": ("para",),
    "cc": (),
    "bcc": ("cco",),
    "subject": ("asunto",),
    "body": ("cuerpo",),
    "has": ("tiene",),
    "filename": ("archivo",),
    "before": ("antes",),
    "after": ("después",),
    "on": ("el",),
    "newer_than": ("masnuevo", "másnuevo", "más_nuevo", "mas_nuevo"),
    "older_than": ("masviejo", "másviejo", "más_viejo", "mas_viejo"),
    "larger": ("mayor",),
    "smaller": ("menor",),
    "in": ("en",),
    "label": ("etiqueta",),
    "is": ("es",),
    "list": ("lista",),
    "header": ("header", "cabecera"),
    "msgid": ("msgid", "rfc822msgid"),
    "auth": (),
    "delivery": ("entrega",),
}
_ME = {"me": ("yo",)}
_DAYS = {"today": ("hoy",), "yesterday": ("ayer",)}
VALUES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "from": _ME,
    "to": _ME,
    "cc": _ME,
    "bcc": _ME,
    "before": _DAYS,
    "after": _DAYS,
    "on": _DAYS,
    "has": {
        "attachment": ("adjunto", "adjuntos"),
        "image": ("imagen", "foto"),
        "pdf": (),
        "doc": ("documento",),
        "sheet": ("hoja",),
        "archive": ("comprimido", "zip"),
        "invite": ("invitación",),
        "link": ("enlace",),
        "remote": ("remoto",),
        "userlabel": ("etiqueta",),
    },
    "is": {
        "unread": ("noleído", "unseen"),
        "read": ("leído", "seen"),
        "starred": ("destacado", "flagged"),
        "replied": ("respondido", "answered"),
        "forwarded": ("reenviado",),
        "muted": ("silenciado",),
        "draft": ("borrador",),
        "first": ("primero", "primera"),
    },
    "in": {
        "inbox": ("entrada", "recibidos"),
        "sent": ("enviados",),
        "drafts": ("borradores",),
        "trash": ("papelera",),
        "spam": ("nodeseado", "junk"),
        "archive": ("archivo",),
        "anywhere": ("todas", "todo"),
    },
    "auth": {"pass": ("bien",), "fail": ("mal",), "none": ("nada",)},
    "delivery": {
        "failed": ("fallida", "fallido"),
        "delayed": ("retrasada", "retrasado"),
        "delivered": ("entregada", "entregado"),
    },
}
CLOSED = frozenset({"has", "is", "auth", "delivery"})  # no other value means anything
# Nothing is found by these yet: they wait for message authentication.
NOT_YET = frozenset(("auth", value) for value in VALUES["auth"])
RECENT = frozenset({"delivery"})  # keys that know the last 30 days only
OF_HEADERS = {  # header fields that are indexed as something else
    "subject": "subject",
    "from": "from",
    "to": "to",
    "cc": "cc",
    "bcc": "bcc",
    "list-id": "list",
    "message-id": "msgid",
}


def key_of(text: str) -> str | None:
    """Return the canonical key of a typed one, or None."""
    return _KEY_OF.get(fold(text))


def value_of(key: str, text: str) -> str | None:
    """Return the canonical value of a typed one that the key gives a meaning of its own."""
    return _VALUE_OF.get((key, fold(text)))


def key_in(key: str, *, language: str) -> str:
    """Return the key as `language` writes it."""
    return _written(key, KEYS[key], language)


def value_in(key: str, value: str, *, language: str) -> str:
    """Return a canonical value as `language` writes it; other values come back as they are."""
    return _written(value, VALUES.get(key, {}).get(value, ()), language)


def _written(word: str, others: tuple[str, ...], language: str) -> str:
    return others[0] if language == "es" and others else word


_KEY_OF = {fold(word): key for key, others in KEYS.items() for word in (key, *others)}
_VALUE_OF = {
    (key, fold(word)): value
    for key, values in VALUES.items()
    for value, others in values.items()
    for word in (value, *others)
}
