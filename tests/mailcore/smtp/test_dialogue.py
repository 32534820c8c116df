"""The dialogue kept for people: bounded, clean, taken once."""

from __future__ import annotations

from mailcore.smtp.dialogue import DIALOGUE_CHARS, Dialogue


def test_lines_are_marked_and_taken_once():
    dialogue = Dialogue()
    dialogue.note("C", b"MAIL FROM:<a@x.test>\r\nDATA\r\n")
    dialogue.note("S", b"250 \x1b[31mOk\r\n")
    assert dialogue.take() == "C: MAIL FROM:<a@x.test>\nC: DATA\nS: 250  [31mOk"
    assert dialogue.take() == ""


def test_a_dialogue_without_end_is_cut():
    dialogue = Dialogue()
    for _ in range(10_000):
        dialogue.note("S", b"250-" + b"x" * 2000 + b"\r\n")
    assert len(dialogue.take()) <= DIALOGUE_CHARS
    dialogue.note("S", b"\n" * 100_000)
    assert len(dialogue.take()) <= DIALOGUE_CHARS
