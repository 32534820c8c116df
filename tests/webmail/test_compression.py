"""Pages are compressed, files are not."""

import gzip

from tests.webmail.conftest import deliver
from tests.webmail.mail.pages import folder_url, message_url

FIRST_PAGE_BYTES = 14 * 1024


def test_a_page_of_fifty_conversations_is_small(web, alice):
    deliver(alice, 50)
    response = web.get(folder_url(alice), headers={"Accept-Encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert len(response.content) <= FIRST_PAGE_BYTES
    assert b"Number 49" in gzip.decompress(response.content)


def test_a_compressed_page_is_still_304(web, alice):
    headers = {"Accept-Encoding": "gzip"}
    web.get(folder_url(alice), headers=headers)
    tag = web.get(folder_url(alice), headers=headers)["ETag"]
    again = web.get(folder_url(alice), headers={**headers, "If-None-Match": tag})
    assert again.status_code == 304


def test_a_file_is_sent_as_it_is(web, alice):
    url = message_url(alice, deliver(alice)[0], "raw")
    assert "Content-Encoding" not in web.get(url, headers={"Accept-Encoding": "gzip"})
