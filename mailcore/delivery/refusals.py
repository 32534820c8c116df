"""The words with which we refuse mail, one table for MAIL, RCPT and the end of DATA.

Codes of RFC 5321, 4.2.3 and RFC 3463. Nothing here says what our code is made of.
"""

from __future__ import annotations

from mailcore.smtp.reply import Reply

UNKNOWN_USER = Reply(550, "5.1.1", "No such mailbox here")
BAD_ADDRESS = Reply(501, "5.1.3", "That is not a mailbox address")
NEEDS_SMTPUTF8 = Reply(553, "5.6.7", "That address needs SMTPUTF8")
MAILBOX_DISABLED = Reply(550, "5.2.1", "That mailbox does not take mail")
DOMAIN_DISABLED = Reply(550, "5.1.2", "That domain does not take mail")
RELAY = Reply(550, "5.7.1", "We are not a relay for that domain")
ALIAS_LOOP = Reply(550, "5.4.6", "That address leads in a circle")
TOO_LARGE = Reply(552, "5.3.4", "The message is larger than we take")
HEADER_TOO_LARGE = Reply(552, "5.3.4", "The header is larger than we take")
MAILBOX_FULL = Reply(452, "4.2.2", "That mailbox is full, try again later")
OVER_QUOTA = Reply(552, "5.2.2", "The message does not fit into that mailbox")
NO_ROOM = Reply(452, "4.3.1", "We are short of disk space, try again later")
LOOP = Reply(554, "5.4.6", "The message has passed too many hosts, it seems to loop")
NO_SENDER_DOMAIN = Reply(450, "4.1.8", "No answer could reach the domain of that sender")
NULL_MX = Reply(550, "5.7.27", "The domain of that sender says that it sends no mail")
NOT_YOUR_ADDRESS = Reply(553, "5.7.1", "You may not send from that address")
NOT_YOUR_FROM = Reply(553, "5.7.1", "The From field must name addresses that you may use")
NOT_YOUR_SENDER = Reply(553, "5.7.1", "The Sender field must name an address that you may use")
NO_FROM = Reply(550, "5.6.0", "The message has no From field, or more than one")
