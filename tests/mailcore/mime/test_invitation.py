"""mime.invitation: what a card says of an event, and that nothing of it is more than text."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.mime.invitation import TEXT_CHARS, read_invitation

EVENT = """BEGIN:VCALENDAR\r
METHOD:REQUEST\r
BEGIN:VTIMEZONE\r
TZID:Europe/Madrid\r
END:VTIMEZONE\r
BEGIN:VEVENT\r
SUMMARY;LANGUAGE=es:Comida\\, y una línea que se\r
  dobla\r
DTSTART;TZID=Europe/Madrid:20261124T140000\r
DTEND;TZID=Europe/Madrid:20261124T153000\r
LOCATION:Calle Mayor\\; 1\\nMadrid\r
ORGANIZER;CN="Ana: jefa";ROLE=CHAIR:mailto:ana@crepes.test\r
ATTENDEE:mailto:b@x.test\r
ATTENDEE:mailto:c@x.test\r
RRULE:FREQ=WEEKLY\r
END:VEVENT\r
END:VCALENDAR\r
"""
MADRID = ZoneInfo("Europe/Madrid")


def event(*lines: str) -> str:
    return "\r\n".join(("BEGIN:VEVENT", *lines, "END:VEVENT"))


def test_an_invitation_is_read():
    found = read_invitation(EVENT)
    assert found is not None
    assert (found.method, found.summary) == ("REQUEST", "Comida, y una línea que se dobla")
    assert found.starts == datetime(2026, 11, 24, 14, tzinfo=MADRID)
    assert found.ends == datetime(2026, 11, 24, 15, 30, tzinfo=MADRID)
    assert (found.location, found.organiser) == ("Calle Mayor; 1 Madrid", "Ana: jefa")
    assert (found.guest_count, found.repeats, found.is_cancelled) == (2, True, False)


@pytest.mark.parametrize(
    ("line", "starts"),
    [
        ("DTSTART:20261124T140000Z", datetime(2026, 11, 24, 14, tzinfo=UTC)),
        ("DTSTART:20261124T140000", datetime(2026, 11, 24, 14)),
        ("DTSTART;VALUE=DATE:20261124", date(2026, 11, 24)),
        ("DTSTART;TZID=../../etc/passwd:20261124T140000", datetime(2026, 11, 24, 14)),
        ("DTSTART:20261399T990000", None),
        ("DTSTART:tomorrow", None),
    ],
)
def test_moments(line, starts):
    found = read_invitation(event(line))
    assert found is not None
    assert found.starts == starts


def test_a_cancelled_event_says_so():
    for text in ("METHOD:CANCEL\r\n" + event("SUMMARY:x"), event("STATUS:CANCELLED")):
        found = read_invitation(text)
        assert found is not None
        assert found.is_cancelled


@pytest.mark.parametrize("text", ["", "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VTODO\nEND:VTODO"])
def test_what_is_no_event_is_none(text):
    assert read_invitation(text) is None


def test_long_and_invisible_text_is_cut():
    found = read_invitation(event("SUMMARY:\u202egnp." + "x" * 2000))
    assert found is not None
    assert len(found.summary) == TEXT_CHARS
    assert "\u202e" not in found.summary


@given(st.text(alphabet=st.sampled_from('BEGIN:VT;="\\\r\n \tDTSAZ0159,x')))
def test_any_text_is_read_or_none(text):
    for found in (read_invitation(text), read_invitation(event(text))):
        assert found is None or len(found.summary) <= TEXT_CHARS
