"""How a person signs: a name and a signature for each address that they write from.

A signature is plain text (RFC 3676, 4.3, says how it is set apart). Which addresses are a person's
own is `own`'s to say; nothing here makes one usable.
"""

from __future__ import annotations

from mailcore.directory.own import Own
from mailcore.models.identity import Identity, User

NAME_CHARS = 200
SIGNATURE_CHARS = 2000


def keep(*, user: User, own: Own, display_name: str, signature: str) -> None:
    """Remember how the person signs as `own`; an empty name means that of the mailbox.

    What is longer than its column allows is cut.
    """
    name = display_name.strip()[:NAME_CHARS]
    text = signature.replace("\r\n", "\n").replace("\0", "").rstrip()[:SIGNATURE_CHARS]
    name = "" if name == own.usual_name else name
    if not name and not text:
        Identity.objects.filter(user=user, address=own.address_id).delete()
        return
    Identity.objects.update_or_create(
        user=user,
        address_id=own.address_id,
        defaults={"display_name": name, "signature": text},
    )
