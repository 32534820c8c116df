"""`audit_mail`: proves that no accepted mail is lost or in two places (conservation of mail, G5).

Prints each message x recipient that is in no state or in two, and each queue row that nobody will
end; exits with 1 when there is one. Changes nothing and may run beside deliveries.
"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from mailcore.management.printing import printable
from mailcore.queue.audit import audit


class Command(BaseCommand):
    """Adapter of `queue.audit`."""

    help = "Prove that every accepted message x recipient is in exactly one state."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print breaches as they are found; exit 1 if there are any."""
        count = 0
        for breach in audit(now=timezone.now()):
            self.stdout.write(printable(str(breach)))
            count += 1
        self.stdout.write(f"{count} findings")
        if count:
            sys.exit(1)
