"""What the server itself says (RFC 5321, 4.2; RFC 3463). What policy says comes with `Refused`.

Fixed texts: nothing that a client sent is ever repeated, nothing tells what we are made of.
"""

from __future__ import annotations

import re

from mailcore.delivery import refusals
from mailcore.smtp.reply import Reply

REPLY_OCTETS = 512

OK = Reply(250, "2.0.0", "Ok")
SENDER_OK = Reply(250, "2.1.0", "Ok")
RECIPIENT_OK = Reply(250, "2.1.5", "Ok")
GO_AHEAD = Reply(354, "", "End data with <CR><LF>.<CR><LF>")
START_TLS = Reply(220, "2.0.0", "Ready to start TLS")
BYE = Reply(221, "2.0.0", "Bye")
CANNOT_VERIFY = Reply(252, "2.5.2", "We tell nobody who is here; send the message and see")
HELP = Reply(214, "2.0.0", "EHLO HELO MAIL RCPT DATA RSET NOOP VRFY HELP STARTTLS QUIT; RFC 5321")

BAD_SYNTAX = Reply(500, "5.5.2", "Syntax error: a command is one line of text that ends in CR LF")
LINE_TOO_LONG = Reply(500, "5.5.2", "Command line too long")
UNKNOWN_COMMAND = Reply(500, "5.5.1", "Command not recognised")
NOT_IMPLEMENTED = Reply(502, "5.5.1", "Command not implemented")
BAD_ARGUMENT = Reply(501, "5.5.4", "Syntax error in the arguments")
NO_ARGUMENT = Reply(501, "5.5.4", "The command takes no argument")
SAY_HELLO = Reply(503, "5.5.1", "Send EHLO first")
NESTED_MAIL = Reply(503, "5.5.1", "There is a sender already; RSET starts again")
NO_SENDER = Reply(503, "5.5.1", "Send MAIL first")
NO_RECIPIENT = Reply(503, "5.5.1", "Send RCPT first")
TLS_ACTIVE = Reply(503, "5.5.1", "TLS is active already")
NEEDS_ESMTP = Reply(555, "5.5.4", "Parameters need EHLO")
TOO_MANY_RECIPIENTS = Reply(452, "4.5.3", "Too many recipients, send the rest in another message")
RECIPIENT_RATE = Reply(450, "4.7.1", "Too many recipients from your network, try again later")
MESSAGE_RATE = Reply(450, "4.7.1", "Too many messages from your network, try again later")
NO_ROOM = refusals.NO_ROOM
TOO_LARGE = refusals.TOO_LARGE
BARE_LINE_ENDS = Reply(550, "5.6.11", "The message has CR or LF on its own; lines end in CR LF")
OUR_FAULT = Reply(451, "4.3.0", "Something went wrong here, try again later")

TOO_MANY_ERRORS = Reply(421, "4.7.0", "Too many errors")
TOO_MUCH_JUNK = Reply(421, "4.7.0", "Too many commands without a message")
TOO_MANY_UNKNOWN = Reply(421, "4.7.0", "Too many unknown recipients")
TOO_SLOW = Reply(421, "4.4.2", "You took too long")
STOPPING = Reply(421, "4.3.2", "We are going down, try again later")

_UNPRINTABLE = re.compile(rb"[^ -~]+")


def on_wire(reply: Reply) -> bytes:
    """Return one reply line with its CRLF: printable ASCII, at most 512 octets."""
    text = str(reply).encode("ascii", "replace")
    return _UNPRINTABLE.sub(b"?", text)[: REPLY_OCTETS - 2] + b"\r\n"
