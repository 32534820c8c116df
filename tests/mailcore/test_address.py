"""Addresses: the grammar of RFC 5321, its limits, and how our own local parts compare."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore import address
from mailcore.address import Address, AddressError, Problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bob@hamburger.test", Address("bob", "hamburger.test")),
        ("Bob.Smith@EXAMPLE.Com", Address("Bob.Smith", "example.com")),
        ("a!b%c#d@example.com", Address("a!b%c#d", "example.com")),
        ('"joe bloggs"@example.com', Address("joe bloggs", "example.com")),
        ('"a@b>c"@example.com', Address("a@b>c", "example.com")),
        (r'"a\"b\\c"@example.com', Address('a"b\\c', "example.com")),
        ('"bob"@example.com', Address("bob", "example.com")),
        ("bob@localhost", Address("bob", "localhost")),
        ("bob@my_host.example.com", Address("bob", "my_host.example.com")),
        ("bob@[127.0.0.1]", Address("bob", "[127.0.0.1]")),
        ("bob@[IPv6:2001:DB8:0:0::1]", Address("bob", "[ipv6:2001:db8::1]")),
        ("bob@straße.example", Address("bob", "xn--strae-oqa.example")),
        ("bob@BÜCHER.example", Address("bob", "xn--bcher-kva.example")),
        ("pelé@example.com", Address("pelé", "example.com")),
        ("pele\u0301@example.com", Address("pelé", "example.com")),
    ],
)
def test_addr_spec(text, expected):
    assert address.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bob",
        "@example.com",
        "bob@",
        "bob@@example.com",
        '""@example.com',
        ".bob@example.com",
        "bo..b@example.com",
        "bob.@example.com",
        "bob smith@example.com",
        '"bob@example.com',
        'b"o"b@example.com',
        "bob@-example.com",
        "bob@example-.com",
        "bob@exa mple.com",
        "bob@example..com",
        "bob@example.com.",
        "bob@.example.com",
        "bob@[127.0.0.256]",
        "bob@[IPv6:1::2::3]",
        "bob@[x400:c=us]",
        "bob@[127.0.0.1",
        "bob\x00@example.com",
        '"b\tb"@example.com',
        '"b\r\nb"@example.com',
        "b\u0085b@example.com",
        "b\u2028b@example.com",
        "b\udc80b@example.com",
        "bob@\ud800.example",
        "bob@exam\u200bple\u2028.com",
        "Bob <bob@example.com>",
        "bob@example.com (Bob)",
        "bob@example.com\n",
    ],
)
def test_not_an_addr_spec(text):
    with pytest.raises(AddressError) as caught:
        address.parse(text)
    assert caught.value.problem is Problem.SYNTAX
    assert caught.value.text in text


def test_local_part_of_64_octets_is_the_longest():
    assert address.parse("a" * 64 + "@example.com").local_part == "a" * 64
    assert address.parse("é" * 32 + "@example.com").local_part == "é" * 32
    for local in ("a" * 65, "é" * 33, '"' + " " * 63 + '"'):
        with pytest.raises(AddressError) as caught:
            address.parse(local + "@example.com")
        assert caught.value.problem is Problem.TOO_LONG


def test_path_of_256_octets_is_the_longest():
    domain = ".".join(["d" * 61] * 4)[:252]
    assert address.parse("a@" + domain).domain == domain
    with pytest.raises(AddressError) as caught:
        address.parse("abcdefg@" + domain)
    assert caught.value.problem is Problem.TOO_LONG


def test_domain_of_255_octets_is_the_longest():
    domain = ".".join(["d" * 63] * 4)
    assert address.normalise_domain(domain) == domain
    for long in ("d." + domain, "é" * 256):
        with pytest.raises(AddressError) as caught:
            address.normalise_domain(long)
        assert caught.value.problem is Problem.TOO_LONG


def test_label_of_63_octets_is_the_longest():
    assert address.normalise_domain("d" * 63 + ".test") == "d" * 63 + ".test"
    with pytest.raises(AddressError):
        address.normalise_domain("d" * 64 + ".test")


def test_null_reverse_path():
    assert address.parse_reverse_path("<>") is None
    assert address.parse_reverse_path("") is None
    with pytest.raises(AddressError):
        address.parse_forward_path("<>")


def test_source_route_is_ignored():
    expected = Address("user", "c.example")
    assert address.parse_forward_path("<@a.example,@b.example:user@c.example>") == expected
    assert address.parse_reverse_path("@a.example:user@c.example") == expected


@pytest.mark.parametrize("path", ["<Postmaster>", "postmaster", "<POSTMASTER>"])
def test_postmaster_needs_no_domain_in_a_forward_path(path):
    found = address.parse_forward_path(path)
    assert (found.key, found.domain) == ("postmaster", "")
    assert address.parse_forward_path(str(found)) == found
    with pytest.raises(AddressError):
        address.parse_reverse_path(path)


def test_dots_in_odd_places_are_taken_from_the_wire_and_quoted():
    found = address.parse_reverse_path("<a..b.@docomo.example>")
    assert found == Address("a..b.", "docomo.example")
    assert str(found) == '"a..b."@docomo.example'


@pytest.mark.parametrize("path", ["<pelé@example.com>", "<bob@bücher.example>"])
def test_utf8_needs_smtputf8(path):
    assert address.parse_forward_path(path, smtputf8=True).domain
    with pytest.raises(AddressError) as caught:
        address.parse_forward_path(path, smtputf8=False)
    assert caught.value.problem is Problem.NEEDS_SMTPUTF8


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<bob@example.com>", ("bob@example.com", "")),
        ("<bob@example.com> SIZE=3 BODY=8BITMIME", ("bob@example.com", "SIZE=3 BODY=8BITMIME")),
        ('<"a> SIZE=9"@x.example> SIZE=3', ('"a> SIZE=9"@x.example', "SIZE=3")),
        ("<> RET=HDRS", ("", "RET=HDRS")),
        ("<@a,@b:bob@example.com>", ("bob@example.com", "")),
    ],
)
def test_split_path(text, expected):
    assert address.split_path(text) == expected


def test_split_path_leaves_a_source_route_out():
    route = ",".join(["@relay.example"] * 100)
    assert address.split_path(f"<{route}:bob@x.example> SIZE=3") == ("bob@x.example", "SIZE=3")
    assert address.split_path('<"@a.example:b"@x.example>') == ('"@a.example:b"@x.example', "")


def test_address_is_bounded_as_written_not_only_as_compared():
    soft_hyphens = "\u00ad" * 200  # which IDNA drops
    assert address.parse(f"bob@{soft_hyphens}x.example") == Address("bob", "x.example")
    with pytest.raises(AddressError) as raised:
        address.parse('"' + r"\b" * 60 + f'"@{soft_hyphens}x.example')
    assert raised.value.problem is Problem.TOO_LONG


@pytest.mark.parametrize(
    "text", ["", "bob@x.example", "<bob@x", "<bob@x>SIZE=3", "<<a@b>>", "<a b>"]
)
def test_split_path_wants_angle_brackets(text):
    with pytest.raises(AddressError):
        address.split_path(text)


def test_our_local_parts_compare_without_quotes_case_and_composition():
    keys = {address.parse(f"{local}@x.example").key for local in ("Pelé", '"pele\u0301"', "PELÉ")}
    assert keys == {"pelé"}
    assert address.normalise_local('"Bob"') == address.normalise_local("BOB") == "bob"
    assert address.normalise_local("b.ob") != address.normalise_local("bob")


def test_quotes_that_belong_to_a_local_part_are_not_stripped_twice():
    assert address.parse(r'"\"bob\""@x.example').key == '"bob"'


@pytest.mark.parametrize(
    ("local", "separator", "expected"),
    [
        ("bob+shop", "+", ("bob", "shop")),
        ("bob+a+b", "+", ("bob", "a+b")),
        ("bob+", "+", ("bob", "")),
        ("+bob", "+", ("+bob", "")),
        ("bob", "+", ("bob", "")),
        ("bob-x", "-", ("bob", "x")),
        ("bob+x", "", ("bob+x", "")),
    ],
)
def test_split_detail(local, separator, expected):
    assert address.split_detail(local, separator) == expected


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@given(st.one_of(_TEXT, st.text('ab@<>.",:[]\\ 1é', max_size=40)))
def test_parsers_raise_nothing_but_address_error(text):
    for parse in (
        address.parse,
        address.parse_forward_path,
        address.parse_reverse_path,
        address.split_path,
        address.normalise_domain,
    ):
        with contextlib.suppress(AddressError):
            assert parse(text) is None or parse(text) == parse(text)


@given(_TEXT)
def test_any_local_part_survives_being_written(local):
    written = address.quote_local(local) + "@example.com"
    try:
        found = address.parse(written)
    except AddressError:
        return
    assert address.parse(str(found)) == found
    assert found.key == address.fold_local(local)


@given(_TEXT)
def test_folding_twice_changes_nothing(local):
    folded = address.fold_local(local)
    assert address.fold_local(folded) == folded


@given(_TEXT)
def test_a_normalised_domain_is_its_own_normal_form(text):
    try:
        domain = address.normalise_domain(text)
    except AddressError:
        return
    assert address.normalise_domain(domain) == domain
    assert domain.isascii()
