"""vCard and CSV: the RFC's own cards, what other programs write, hostile files, round trips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.cards import table, vcard
from mailcore.cards.card import LIST_MAX, ROWS_MAX, Card

# RFC 6350, section 8, with its folding
SIMON = (
    "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Simon Perreault\r\nN:Perreault;Simon;;;ing. jr,M.Sc.\r\n"
    'ORG;TYPE=work:Viagenie\r\nTEL;VALUE=uri;TYPE="work,voice";PREF=1:tel:+1-418-656-9254;ext=102\r\n'
    "EMAIL;TYPE=work:simon.perreault@via\r\n genie.example\r\n"
    "NOTE:One\\nTwo\\, three\r\nCATEGORIES:Work,Old\\,friends\r\nEND:VCARD\r\n"
)


def test_the_card_of_the_rfc_is_read():
    (row,) = vcard.read(SIMON.encode())
    assert row.problem == ""
    assert row.card == Card(
        name="Simon Perreault",
        addresses=("simon.perreault@viagenie.example",),
        phones=("+1-418-656-9254;ext=102",),
        organisation="Viagenie",
        note="One\nTwo, three",
        groups=("Work", "Old,friends"),
    )


def test_a_card_of_version_three_without_a_full_name_has_its_parts():
    text = (
        "BEGIN:VCARD\nVERSION:3.0\nN:Ruiz;Dora;María;;\n"
        "item1.EMAIL;TYPE=INTERNET:D@x.test\nEND:VCARD"
    )
    (row,) = vcard.read(text.encode())
    assert (row.card.name, row.card.addresses) == ("Dora María Ruiz", ("d@x.test",))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("BEGIN:VCARD\nVERSION:4.0\nFN:A\nEND:VCARD", "address"),
        ("BEGIN:VCARD\nVERSION:4.0\nEMAIL:not an address\nEND:VCARD", "address"),
        ("BEGIN:VCARD\nVERSION:2.1\nEMAIL:a@b.test\nEND:VCARD", "version"),
        ("BEGIN:VCARD\nVERSION:4.0\nEMAIL:a@b.test\n", "syntax"),
    ],
)
def test_a_fault_is_told_of_its_card_and_the_others_are_read(text, problem):
    rows = vcard.read(f"{text}\n{SIMON}".encode())
    assert [row.problem for row in rows] == [problem, ""]


def test_a_file_of_too_many_cards_ends_with_a_row_that_says_so():
    rows = vcard.read(SIMON.encode() * (ROWS_MAX + 5))
    assert (len(rows), rows[-1].problem) == (ROWS_MAX + 1, "many")


def test_a_card_with_more_than_anybody_has_is_cut():
    mails = "".join(f"EMAIL:a{n}@b.test\n" for n in range(100))
    (row,) = vcard.read(f"BEGIN:VCARD\nVERSION:4.0\nFN:{'n' * 9999}\n{mails}END:VCARD".encode())
    assert (len(row.card.name), len(row.card.addresses)) == (300, LIST_MAX)


def test_control_and_direction_characters_never_reach_a_name():
    (row,) = vcard.read(SIMON.replace("FN:Simon", "FN:Si\x1b[2Jm\u202eon").encode())
    assert row.card.name == "Si[2Jmon Perreault"


def test_long_lines_are_folded_at_75_octets():
    text = vcard.write([Card(name="ñ" * 200, addresses=("a@b.test",))])
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    assert vcard.read(text.encode())[0].card.name == "ñ" * 200


texts = st.text(st.characters(exclude_categories=("C", "Z")), max_size=40)
cards = st.builds(
    Card,
    name=texts,
    addresses=st.just(("a@b.test", "c@d.test")),
    phones=st.lists(texts.filter(lambda t: t and ":::" not in t), max_size=3, unique=True).map(
        tuple
    ),
    organisation=texts,
    note=texts,
    groups=st.lists(texts.filter(lambda t: t and ":::" not in t), max_size=3, unique=True).map(
        tuple
    ),
)


@given(cards)
def test_what_is_written_as_vcard_is_read_again(card):
    found = vcard.read(vcard.write([card]).encode())[0].card
    assert found.name == card.name or (not card.name and found.name == "a@b.test")
    assert (found.addresses, found.note, found.groups) == (card.addresses, card.note, card.groups)


@given(st.binary(max_size=400))
def test_no_octets_make_a_reader_fail(data):
    rows = vcard.read(b"BEGIN:VCARD\r\n" + data + b"\r\nEND:VCARD")
    for row in [*rows, *table.read(b"Name,Email\r\n" + data)]:
        assert row.problem or row.card.addresses


def test_a_table_of_google_is_read():
    text = (
        "First Name,Last Name,Notes,Group Membership,E-mail 1 - Value,E-mail 2 - Value,"
        "Phone 1 - Value\n"
        'Dora,Ruiz,"a\nb",* myContacts ::: Friends,dora@x.test ::: d@x.test,,+34 600\n'
    )
    (row,) = table.read(text.encode())
    assert row.card == Card(
        name="Dora Ruiz",
        addresses=("dora@x.test", "d@x.test"),
        phones=("+34 600",),
        note="a\nb",
        groups=("myContacts", "Friends"),
    )


def test_a_spanish_table_with_semicolons_in_an_old_encoding_is_read():
    rows = table.read("Nombre;Correo electrónico\nÍñigo;i@x.test\n;roto\n".encode("cp1252"))
    assert [(r.number, r.card.name, r.problem) for r in rows] == [
        (2, "Íñigo", ""),
        (3, "", "address"),
    ]


def test_a_table_without_addresses_is_refused_whole():
    assert [row.problem for row in table.read(b"a,b\n1,2\n")] == ["columns"]
    assert [row.problem for row in table.read(b"")] == ["columns"]


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", " =1"])
def test_nothing_that_leaves_is_a_formula_and_all_comes_back(cell):
    text = table.write([Card(name=cell, addresses=("a@b.test",))])
    assert text.splitlines()[1].lstrip('"').startswith("'")
    assert table.read(text.encode())[0].card.name == cell.strip()
