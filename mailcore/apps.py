"""App configuration of the mail system."""

from django.apps import AppConfig


class MailcoreConfig(AppConfig):
    """Registers the tables and the system checks."""

    name = "mailcore"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks."""
        from mailcore import checks  # noqa: F401
