import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailcore.mime.filename import content_disposition, safe_filename
from mailcore.mime.sniff import is_inline_safe, served_type, sniff


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\cmd.exe", "cmd.exe"),
        ("con.txt", "_con.txt"),
        ("..", "attachment"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\r\nb.pdf", "a b.pdf"),
    ],
)
def test_names_lose_what_could_harm(name, safe):
    assert safe_filename(name) == safe


@given(st.text(max_size=300))
def test_any_name_fits_a_file_system_and_a_header(name):
    safe = safe_filename(name)
    assert 0 < len(safe.encode()) <= 200
    assert not set(safe) & set('/\\<>:"|?*\r\n\0')
    assert content_disposition(name).isascii()


def test_header_gives_other_alphabets_twice():
    value = content_disposition("señal.pdf")
    assert value == "attachment; filename=\"se_al.pdf\"; filename*=UTF-8''se%C3%B1al.pdf"


def test_only_known_images_and_pdf_are_shown_inline():
    assert sniff(b"\x89PNG\r\n\x1a\n") == "image/png"
    assert sniff(b"\0\0\0\x1cftypmif1\0\0\0\0avifmiaf....") == "image/avif"
    assert not is_inline_safe(served_type(b"<svg onload=x>"))
