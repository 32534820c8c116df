"""Why the directory did not do what it was asked; adapters choose words and codes."""

from __future__ import annotations

from mailcore.errors import MailError


class DirectoryError(MailError):
    """A change of the directory that cannot be made. Nothing was changed."""

    reason = "cannot be changed"

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{kind} {name} {self.reason}")
        self.kind = kind
        self.name = name


class AlreadyExists(DirectoryError):  # noqa: N818 - named by what is the case
    """The name is taken."""

    reason = "already exists"


class NotFound(DirectoryError):  # noqa: N818 - as AlreadyExists
    """There is no such object."""

    reason = "does not exist"


class LimitReached(DirectoryError):  # noqa: N818 - as AlreadyExists
    """The domain may have no more mailboxes."""

    reason = "has reached its limit"


class NotUsable(DirectoryError):  # noqa: N818 - as AlreadyExists
    """The name or value cannot be used here."""

    reason = "cannot be used"
