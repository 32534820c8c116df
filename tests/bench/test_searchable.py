"""Row 5 of the targets: a real round on SQLite, and a table that marks what misses."""

import pytest

from bench.searchable import Found, IndexingCasilla, measure, table


@pytest.mark.slow
def test_a_round_ends_when_all_mail_is_found(tmp_path):
    server = IndexingCasilla(tmp_path / "casilla")
    try:
        server.start()
        found = measure(server, seed=500, count=20)
        assert server.findable("Offer 500") == found.messages == 20
        assert server.findable("Offer 501") == 0
    finally:
        server.stop()
    assert found.rate < found.accepted_rate


def test_what_is_not_twice_the_peer_is_marked():
    peer, twice, less = (
        [Found(messages=9, rate=rate, accepted_rate=300, cpu_ms=1)] for rate in (100, 200, 199)
    )
    text = table({"Postfix + Dovecot": peer, "twice": twice, "less": less})
    assert [line.endswith("!") for line in text.splitlines()[2:]] == [False, False, True]
