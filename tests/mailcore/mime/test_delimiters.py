from hypothesis import given
from hypothesis import strategies as st

from mailcore.mime.delimiters import Delimiter, Delimiters

BODY = b"\r\npreamble\r\n--b\r\none\r\n--bb\r\ntwo\r\n--b-- \r\nend"


def _all(data: bytes, *boundaries: bytes, budget: int = 10**6) -> tuple[list[Delimiter], bool]:
    delimiters = Delimiters(data, budget=budget)
    for boundary in boundaries:
        delimiters.push(boundary, 0)
    found = list(iter(delimiters.next, None))
    return found, delimiters.exhausted


def test_inner_boundary_may_begin_with_the_outer_one():
    delimiters = Delimiters(BODY, budget=10**6)
    delimiters.push(b"b", 0)
    outer = delimiters.next()
    delimiters.push(b"bb", outer.end if outer else 0)
    inner = delimiters.next()
    delimiters.pop()
    last = delimiters.next()
    assert outer is not None
    assert inner is not None
    assert last is not None
    assert [one.level for one in (outer, inner, last)] == [0, 1, 0]
    assert BODY[outer.end : inner.start] == b"one"
    assert BODY[inner.end : last.start] == b"two"
    assert last.is_close
    assert BODY[last.end :] == b"end"


def test_work_is_counted():
    data = b"x" * 100_000
    assert _all(memoryview(data), b"b", budget=10_000) == ([], True)  # type: ignore[arg-type]


@given(st.lists(st.sampled_from([b"--b", b"--bb", b"--", b"\r\n", b"\n", b"x"]), max_size=40))
def test_delimiters_come_in_order_and_do_not_overlap(pieces):
    data = b"".join(pieces)
    position = 0
    for found in _all(data, b"b", b"bb")[0]:
        assert found.start <= found.end <= len(data)
        assert position <= found.end
        position = found.end
