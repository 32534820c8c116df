"""Whether a message speaks of a file that it does not bring: words of English and Spanish.

Looks at what the person wrote, not at the signature nor at what is quoted or forwarded below it.
It guesses, so that its answer is a question to the person and never a refusal.
"""

from __future__ import annotations

import re
from itertools import takewhile

from mailcore.html import outgoing
from mailcore.store.drafts import DraftRow

_WORDS = re.compile(
    r"\b(?:attach(?:ed|ments?|ing)|enclosed|adjunt(?:[oaé]|os|as|amos|ad[oa]s?|ar)|anex(?:os?|as?))\b",
    re.IGNORECASE,
)
_ENDS = re.compile(r"-- ?$|-{5,}")


def is_file_missing(draft: DraftRow) -> bool:
    """Say whether the draft has no file although its words promise one."""
    if draft.files:
        return False
    written = draft.written
    text = written.text or outgoing.to_plain(written.html)
    own = takewhile(lambda line: not _ENDS.match(line), text.split("\n"))
    said = [line for line in own if not line.startswith(">")]
    if not draft.kind:
        said.append(written.subject)
    return any(_WORDS.search(line) for line in said)
