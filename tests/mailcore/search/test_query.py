"""search.query: the grammar of the search box, whatever is typed into it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.search.nodes import And, Field, Not, Or, Phrase, Problem, Word
from mailcore.search.query import CHARS_MAX, parse, to_text, without

TODAY = date(2026, 11, 21)
PIECES = st.sampled_from(
    [
        *("foo", "josé", "wor*", "*", "-", "OR", "O", "(", ")", '"', '"a b"', " ", "\t", ":", "<"),
        *("from:", "de:", "subject:", "in:", "is:unread", "es:noleído", "has:pdf", "auth:pass"),
        *("me", "after:2026-11-21", "el:ayer", "masnuevo:2s", "larger:5M", "header:X-A:b"),
        *("header:", "msgid:<a@b>", "label:", "nope:x", "\0", "\ud800", "ﬁ", "İ", "１２"),
    ]
)


def read(text: str, language: str = "en"):
    return parse(text, language=language, today=TODAY)


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("", None),
        ("foo", Word("foo")),
        ("wor*", Word("wor", is_prefix=True)),
        ('"big news"', Phrase("big news")),
        ("-foo", Not(Word("foo"))),
        ("a b", And((Word("a"), Word("b")))),
        ("a OR b", Or((Word("a"), Word("b")))),
        ("a O b", Or((Word("a"), Word("b")))),
        ("a or b", And((Word("a"), Word("or"), Word("b")))),
        ("a OR b c", And((Or((Word("a"), Word("b"))), Word("c")))),
        ("(a b) OR -c", Or((And((Word("a"), Word("b"))), Not(Word("c"))))),
        ("-(a OR b)", Not(Or((Word("a"), Word("b"))))),
        ("from:ana", Field("from", "ana")),
        ("de:yo", Field("from", "me")),
        ('from:"me"', Field("from", "me", is_phrase=True)),
        ('para:"Ana María"', Field("to", "Ana María", is_phrase=True)),
        ("cco:an*", Field("bcc", "an", is_prefix=True)),
        ("from:(ana luis)", And((Field("from", "ana"), Field("from", "luis")))),
        ("subject:(a OR -b)", Or((Field("subject", "a"), Not(Field("subject", "b"))))),
        ("in:(inbox enviados)", Or((Field("in", "inbox"), Field("in", "sent")))),
        ("en:todas", Field("in", "anywhere")),
        ("in:Recetas", Field("in", "Recetas")),
        ("IS:Unread", Field("is", "unread")),
        ("es:noleido", Field("is", "unread")),
        ("tiene:adjunto", Field("has", "attachment")),
        ("archivo:pdf", Field("filename", "pdf")),
        ("después:2026-11-21", Field("after", "2026-11-21", day=TODAY)),
        ("antes:2026/1/2", Field("before", "2026-01-02", day=date(2026, 1, 2))),
        ("on:yesterday", Field("on", "yesterday", day=date(2026, 11, 20))),
        ("el:ayer", Field("on", "yesterday", day=date(2026, 11, 20))),
        ("newer_than:3d", Field("newer_than", "3d", day=date(2026, 11, 18))),
        ("masviejo:2s", Field("older_than", "2w", day=date(2026, 11, 7))),
        ("newer_than:9m", Field("newer_than", "9m", day=date(2026, 2, 21))),
        ("newer_than:1y", Field("newer_than", "1y", day=date(2025, 11, 21))),
        ("larger:500k", Field("larger", "500k", size_bytes=500 * 1024)),
        ("menor:5mb", Field("smaller", "5M", size_bytes=5 * 2**20)),
        ("rfc822msgid:<a@b.test>", Field("msgid", "a@b.test")),
        ("lista:recetas.test", Field("list", "recetas.test")),
    ],
)
def test_the_grammar(text, root):
    query = read(text)
    assert query.root == root
    assert query.problems == ()


@pytest.mark.parametrize(
    ("text", "root", "problem"),
    [
        ("nope:x", Word("nope:x"), Problem.UNKNOWN_KEY),
        ("is:blue", Word("is:blue"), Problem.UNKNOWN_VALUE),
        ('has:"a b"', Phrase("has:a b"), Problem.UNKNOWN_VALUE),
        ("on:32/1", Word("on:32/1"), Problem.BAD_DATE),
        ("on:2026-02-30", Word("on:2026-02-30"), Problem.BAD_DATE),
        ("on:9999-12-31", Word("on:9999-12-31"), Problem.BAD_DATE),
        ("newer_than:9999y", Word("newer_than:9999y"), Problem.BAD_AGE),
        ("larger:big", Word("larger:big"), Problem.BAD_SIZE),
        ("from: foo", Word("foo"), Problem.EMPTY_VALUE),
        ('"foo bar', Phrase("foo bar"), Problem.UNCLOSED_QUOTE),
        ("(foo", Word("foo"), Problem.UNBALANCED),
        ("foo)", Word("foo"), Problem.UNBALANCED),
        ("OR foo", Word("foo"), Problem.DANGLING_OR),
        ("foo OR", Word("foo"), Problem.DANGLING_OR),
        ("auth:pass", Field("auth", "pass"), Problem.NOT_YET),
        ("delivery:failed", Field("delivery", "failed"), Problem.RECENT),
        (
            "a OR header:X-Spam:yes",
            Or((Word("a"), Field("header", "yes", name="X-Spam"))),
            Problem.NOT_YET,
        ),
    ],
)
def test_what_is_wrong_is_searched_as_text_and_said(text, root, problem):
    query = read(text)
    assert query.root == root
    assert query.problems == (problem,)


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("header:Subject:plan", Field("subject", "plan", is_phrase=True)),
        ('cabecera:FROM:"me"', Field("from", "me", is_phrase=True)),
        ("header:List-Id:news.x.test", Field("list", "news.x.test", is_phrase=True)),
        ("header:message-id:<1@x.test>", Field("msgid", "1@x.test", is_phrase=True)),
        ("header:Subject", Field("header", "", name="Subject")),
        ("header:X-Spam:yes", Field("header", "yes", name="X-Spam")),
        ('header:X-A:"b c"', Field("header", "b c", is_phrase=True, name="X-A")),
        ("-header:X-A", Not(Field("header", "", name="X-A"))),
        ("a header:X-A:b", And((Word("a"), Field("header", "b", name="X-A")))),
    ],
)
def test_a_header_that_is_indexed_becomes_its_own_key(text, root):
    assert read(text).root == root
    assert read(text).problems == ()


@pytest.mark.parametrize("text", ["http://x.test/a", "10:30", "12:x"])
def test_what_only_looks_like_a_key_gives_no_hint(text):
    assert read(text).problems == ()
    assert read(text).root == Word(text)


def test_a_spanish_date_begins_with_the_day():
    assert read("el:3/4/2026", "es").root == Field("on", "2026-04-03", day=date(2026, 4, 3))
    assert read("el:3/4/2026", "en").problems == (Problem.BAD_DATE,)


def test_the_last_day_of_a_shorter_month_is_meant():
    query = parse("newer_than:1m", language="en", today=date(2026, 3, 31))
    assert query.root == Field("newer_than", "1m", day=date(2026, 2, 28))


def test_length_terms_and_depth_have_limits():
    assert read("x" * (CHARS_MAX + 1)).root == Word("x" * CHARS_MAX)
    assert read("x" * (CHARS_MAX + 1)).problems == (Problem.TOO_LONG,)
    many = read(" ".join(f"w{n}" for n in range(31)))
    assert isinstance(many.root, And)
    assert (len(many.root.children), many.problems) == (30, (Problem.TOO_MANY_TERMS,))
    assert read("(" * 5 + "a" + ")" * 5).problems == ()
    assert Problem.TOO_DEEP in read("(" * 400 + "a" + ")" * 400).problems


def test_clauses_can_be_shown_and_taken_away():
    text = 'foo  -de:ana "a b" x OR y'
    clauses = read(text).clauses
    assert [(c.text, c.key, c.value, c.is_negated) for c in clauses] == [
        ("foo", "", "foo", False),
        ("-de:ana", "from", "ana", True),
        ('"a b"', "", '"a b"', False),
        ("x OR y", "", "x OR y", False),
    ]
    assert without(text, clauses[1]) == 'foo "a b" x OR y'
    assert without(text, clauses[3]) == 'foo  -de:ana "a b"'


def test_a_search_is_written_in_the_language_of_its_reader():
    query = read('de:yo (a OR -"b c") es:noleído masnuevo:2s an*')
    assert to_text(query, language="en") == 'from:me a OR -"b c" is:unread newer_than:2w an*'
    assert to_text(query, language="es") == 'de:yo a OR -"b c" es:noleído masnuevo:2s an*'


@given(st.text(max_size=60) | st.lists(PIECES, max_size=25).map("".join))
def test_any_text_is_read_and_its_meaning_survives_writing(text):
    query = read(text)
    for clause in query.clauses:
        assert text[clause.start : clause.end] == clause.text
    for language in ("en", "es"):
        written = to_text(query, language=language)
        if len(written) <= CHARS_MAX:
            assert read(written, language).root == query.root
