import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.mime.addresslist import Mailbox, list_addresses, parse_address_list


@pytest.mark.parametrize(
    ("value", "name", "address"),
    [  # RFC 5322, appendices A.1 and A.5, A.6
        ("John Doe <jdoe@machine.example>", "John Doe", "jdoe@machine.example"),
        ('"Joe Q. Public" <joe@example.com>', "Joe Q. Public", "joe@example.com"),
        ("Who? <one@y.test>", "Who?", "one@y.test"),
        ('"Giant; \\"Big\\" Box" <s@example.net>', 'Giant; "Big" Box', "s@example.net"),
        (r"Pete(A \) chap) <pete(his account)@silly.test(his host)>", "Pete", "pete@silly.test"),
        ("Joe Q. Public <john.q.public@example.com>", "Joe Q. Public", "john.q.public@example.com"),
        ("John Doe <jdoe@machine(comment).  example>", "John Doe", "jdoe@machine.example"),
        ("=?utf-8?q?J=C3=B6?= <j@x.example>", "Jö", "j@x.example"),
        ("jdoe@[192.0.2.1]", "", "jdoe@[192.0.2.1]"),
        ("old@x.example (Old Style)", "Old Style", "old@x.example"),
        ("j@x.example <j@x.example>", "j@x.example", "j@x.example"),
    ],
)
def test_mailboxes_of_the_rfc(value, name, address):
    assert parse_address_list(value) == (Mailbox(name, address),)


def test_group_of_the_rfc():
    value = (
        "A Group(Some people)\r\n :Chris Jones <c@(Chris's host.)public.example>,\r\n"
        " joe@example.org,\r\n John <jdoe@one.test> (my dear friend); (the end of the group)"
    )
    assert parse_address_list(value) == (
        Mailbox("Chris Jones", "c@public.example", "A Group"),
        Mailbox("", "joe@example.org", "A Group"),
        Mailbox("John", "jdoe@one.test", "A Group"),
    )


def test_obsolete_list_of_the_rfc():
    value = "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example"
    assert list_addresses(value) == ["mary@example.net", "jdoe@test.example"]


@pytest.mark.parametrize("between", list('()<>@:;."[]'))
def test_no_address_is_guessed_from_a_broken_entry(between):
    found = list_addresses(f"alice@example.org{between}bob@example.com")  # CVE-2023-27043
    assert [address for address in found if address] == []


@given(st.text(alphabet=st.sampled_from('ab@.,;:<>()[]"\\ =?qQ\r\n\té\0'), max_size=80))
def test_any_text_gives_addresses_with_one_local_part_and_domain(value):
    boxes = parse_address_list(value)
    assert [box.address for box in boxes if box.address] == list_addresses(value)
    for box in boxes:
        assert not box.address or parse_address_list(box.address) == (Mailbox("", box.address),)
