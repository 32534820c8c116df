"""What a reply means to the person who wrote, and what they can do (RFC 3463 and its registry).

One table by enhanced status code without its class: `1.1` explains 5.1.1 and 4.1.1. A code that is
not in it is explained by its subject, else by whether trying again may help. The texts are lazy:
they are read in the language that is active then.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from mailcore.smtp.reply import Reply

_CODE = re.compile(r"[245]\.(\d{1,3})\.(\d{1,3})")

_ASK_FOR_ADDRESS = gettext_lazy(
    "Look for a typing error in the address, or ask the person for the one that works."
)
_ASK_OTHERWISE = gettext_lazy("Reach the person another way, and send the message again later.")
_TELL_OPERATOR = gettext_lazy("Tell the people who run your mail system; they can look into it.")
_SEND_LATER = gettext_lazy("Send the message again later.")
_READ_DETAILS = gettext_lazy("The details below may say more.")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Two sentences for a person: what happened and what to do about it."""

    happened: str | Promise
    advice: str | Promise


_NO_SUCH_ADDRESS = Explanation(gettext_lazy("That address does not exist there."), _ASK_FOR_ADDRESS)
_NO_SUCH_DOMAIN = Explanation(
    gettext_lazy("The domain, the part after the @, does not exist or takes no mail."),
    _ASK_FOR_ADDRESS,
)
_BAD_SENDER = Explanation(
    gettext_lazy("The other server does not take mail from your address."), _TELL_OPERATOR
)
_FULL = Explanation(gettext_lazy("The mailbox of the recipient is full."), _ASK_OTHERWISE)
_TOO_LARGE = Explanation(
    gettext_lazy("The message is larger than the other side takes."),
    gettext_lazy("Send it without large attachments, or in several messages."),
)
_UNREACHABLE = Explanation(
    gettext_lazy("The mail server of the recipient could not be reached, or broke off."),
    _SEND_LATER,
)
_BUSY = Explanation(
    gettext_lazy("The mail system of the recipient has a problem or is too busy."), _SEND_LATER
)
_NOT_UNDERSTOOD = Explanation(
    gettext_lazy("The two mail servers did not understand each other."), _TELL_OPERATOR
)
_CONTENT = Explanation(
    gettext_lazy("The mail system of the recipient cannot take this kind of message."),
    gettext_lazy("Send it as plain text, without attachments."),
)
_POLICY = Explanation(
    gettext_lazy("The other server refused the message by its rules, perhaps as spam."),
    _READ_DETAILS,
)
_NOT_PROVEN = Explanation(
    gettext_lazy("The other server could not verify that the message comes from your domain."),
    _TELL_OPERATOR,
)
_NOT_SECURE = Explanation(
    gettext_lazy("No connection could be made that is as secure as required."), _TELL_OPERATOR
)

_BY_CODE = {
    "1.0": _NO_SUCH_ADDRESS,
    "1.1": _NO_SUCH_ADDRESS,
    "1.2": _NO_SUCH_DOMAIN,
    "1.3": Explanation(
        gettext_lazy("That address is not written as an address must be."), _ASK_FOR_ADDRESS
    ),
    "1.4": Explanation(
        gettext_lazy("The address fits more than one recipient there."), _ASK_FOR_ADDRESS
    ),
    "1.6": Explanation(
        gettext_lazy("The recipient has moved and left no new address."), _ASK_FOR_ADDRESS
    ),
    "1.7": _BAD_SENDER,
    "1.8": _BAD_SENDER,
    "1.10": Explanation(
        gettext_lazy("The domain, the part after the @, takes no mail at all."), _ASK_FOR_ADDRESS
    ),
    "2.1": Explanation(
        gettext_lazy("The mailbox of the recipient is switched off."), _ASK_FOR_ADDRESS
    ),
    "2.2": _FULL,
    "2.3": _TOO_LARGE,
    "3.1": _FULL,
    "3.3": _CONTENT,
    "3.4": _TOO_LARGE,
    "4.3": Explanation(
        gettext_lazy("The mail server of the recipient could not be looked up in DNS."),
        _SEND_LATER,
    ),
    "4.4": _NO_SUCH_DOMAIN,
    "4.5": _BUSY,
    "4.6": Explanation(
        gettext_lazy("The message went round in a circle between servers."), _TELL_OPERATOR
    ),
    "4.7": Explanation(
        gettext_lazy("The message waited too long for the other server."), _SEND_LATER
    ),
    "5.3": Explanation(
        gettext_lazy("The message has too many recipients at once."),
        gettext_lazy("Send it to fewer people at a time."),
    ),
    "6.7": Explanation(
        gettext_lazy("The other server cannot take addresses with letters beyond ASCII."),
        gettext_lazy("Ask the person for an address that has only plain letters."),
    ),
    "7.2": Explanation(
        gettext_lazy("Only certain people may send to that list."),
        gettext_lazy("Ask the owner of the list to let you."),
    ),
    "7.4": _NOT_SECURE,
    "7.5": _NOT_SECURE,
    "7.10": _NOT_SECURE,
    "7.11": _NOT_SECURE,
    "7.28": Explanation(
        gettext_lazy("The other server takes no more mail from you or us for now."), _SEND_LATER
    ),
    **dict.fromkeys(("7.20", "7.21", "7.22", "7.23", "7.24", "7.25", "7.26", "7.27"), _NOT_PROVEN),
}
_BY_SUBJECT = {
    "1": Explanation(gettext_lazy("There is something wrong with the address."), _ASK_FOR_ADDRESS),
    "2": Explanation(
        gettext_lazy("The mailbox of the recipient cannot take the message."), _ASK_OTHERWISE
    ),
    "3": _BUSY,
    "4": _UNREACHABLE,
    "5": _NOT_UNDERSTOOD,
    "6": _CONTENT,
    "7": _POLICY,
}
_TEMPORARY = Explanation(
    gettext_lazy("The other server did not take the message for the time being."), _SEND_LATER
)
_PERMANENT = Explanation(gettext_lazy("The other server refused the message."), _READ_DETAILS)


def explain(reply: Reply) -> Explanation:
    """Return the explanation of a reply that was not 2yz."""
    match = _CODE.fullmatch(reply.enhanced)
    subject, detail = (match[1], match[2]) if match else ("0", "0")
    found = _BY_CODE.get(f"{subject}.{detail}") or _BY_SUBJECT.get(subject)
    return found or (_TEMPORARY if reply.is_temporary else _PERMANENT)
