"""Octets to text, whatever the label says (RFC 2046, 4.1.2; WHATWG Encoding for the aliases).

`decode` never raises. Labels come from an allow list: Python also has codecs that are slow
(idna: CVE-2022-45061) or no charset at all (zip, unicode_escape). It does not detect languages:
an unknown label means UTF-8 if the octets are valid UTF-8, windows-1252 if not.
"""

from __future__ import annotations

import codecs
import re

_WESTERN = "cp1252"
_UTF8 = "utf-8"

# codec: labels. As browsers do, a national standard is read as the vendor's superset of it.
_ALIASES = {
    _UTF8: "utf8 unicode11utf8 xutf8 unicode utf8mb4",
    _WESTERN: "ascii usascii ansix341968 iso646us 646 latin1 l1 iso88591 isoir100 cp819 ibm819"
    " cp1252 windows1252 xcp1252 ansi 8bit binary 7bit",
    "cp1250": "cp1250 windows1250 xcp1250",
    "cp1251": "cp1251 windows1251 xcp1251",
    "cp1253": "cp1253 windows1253",
    "cp1254": "cp1254 windows1254 iso88599 latin5 l5",
    "cp1255": "cp1255 windows1255",
    "cp1256": "cp1256 windows1256",
    "cp1257": "cp1257 windows1257",
    "cp1258": "cp1258 windows1258",
    "cp874": "cp874 windows874 tis620 iso885911",
    "iso8859-2": "iso88592 latin2 l2",
    "iso8859-3": "iso88593 latin3 l3",
    "iso8859-4": "iso88594 latin4 l4",
    "iso8859-5": "iso88595 cyrillic",
    "iso8859-6": "iso88596 arabic iso88596e iso88596i",
    "iso8859-7": "iso88597 greek",
    "iso8859-8": "iso88598 hebrew iso88598e iso88598i logical visual",
    "iso8859-10": "iso885910 latin6 l6",
    "iso8859-13": "iso885913 latin7",
    "iso8859-14": "iso885914 latin8",
    "iso8859-15": "iso885915 latin9 l9",
    "iso8859-16": "iso885916 latin10",
    "koi8-r": "koi8r koi8",
    "koi8-u": "koi8u koi8ru",
    "cp866": "cp866 ibm866",
    "cp437": "cp437 ibm437",
    "cp850": "cp850 ibm850",
    "cp852": "cp852 ibm852",
    "cp858": "cp858 ibm858",
    "mac_roman": "macintosh mac xmacroman macroman",
    "mac_cyrillic": "xmaccyrillic xmacukrainian",
    "gb18030": "gb18030 gbk cp936 gb2312 gb231280 chinese windows936 xgbk euccn",
    "hz": "hzgb2312 hz",
    "big5hkscs": "big5 big5hkscs cnbig5 xxbig5 cp950",
    "cp932": "shiftjis sjis xsjis windows31j ms932 cp932 mskanji csshiftjis",
    "euc_jp": "eucjp xeucjp ujis",
    "iso2022_jp_2": "iso2022jp iso2022jp1 iso2022jp2 csiso2022jp",
    "iso2022_jp_ext": "iso2022jpext iso2022jp3 iso2022jpms",
    "cp949": "euckr ksc56011987 ksc5601 korean ksx1001 cp949 uhc windows949 kscs56011987",
    "iso2022_kr": "iso2022kr",
    "utf-16": "utf16 ucs2 iso10646ucs2",
    "utf-16-le": "utf16le",
    "utf-16-be": "utf16be",
    "utf-32": "utf32 ucs4",
    "utf-32-le": "utf32le",
    "utf-32-be": "utf32be",
    "utf-7": "utf7 unicode11utf7 unicode20utf7",
}
_CODECS = {label: codec for codec, labels in _ALIASES.items() for label in labels.split()}
_NOISE = re.compile(r"[^a-z0-9]")
_LABEL_MAX = 80
_SEVEN_BIT = frozenset({"hz", "iso2022_jp_2", "iso2022_jp_ext", "iso2022_kr", "utf-7"})
_WIDE = frozenset(codec for codec in _ALIASES if codec.startswith(("utf-16", "utf-32")))


def codec_name(label: str) -> str:
    """Return the Python codec for a charset `label`, '' if the label is not known."""
    return _CODECS.get(_NOISE.sub("", label[:_LABEL_MAX].lower()), "")


def decode(data: bytes, label: str = "") -> str:
    """Return `data` as text by the charset `label`; what cannot be read becomes U+FFFD.

    Never raises, never returns lone surrogates. UTF-8 under an ASCII, Latin-1 or unknown label
    is recognised, windows-1252 under those and under UTF-8 as well: both lies are common.
    """
    codec = codec_name(label)
    if codec in _WIDE:
        return _decode_wide(data, codec)
    if data.isascii() and codec not in _SEVEN_BIT:
        return data.decode("ascii")
    if codec in ("", _WESTERN, _UTF8):
        return _decode_western(data, claims_utf8=codec == _UTF8)
    text = data.decode(codec, "replace").lstrip("\ufeff")
    return text.encode("utf-8", "replace").decode("utf-8") if codec == "utf-7" else text


def _decode_wide(data: bytes, codec: str) -> str:
    """Decode UTF-16 or UTF-32, unless there is no zero octet in it: then the label lies."""
    if data.isascii() and b"\0" not in data:
        return data.decode("ascii")
    if codec == "utf-16" and data[:2] not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        codec = "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
    return data.decode(codec, "replace").lstrip("\ufeff")


def _decode_western(data: bytes, *, claims_utf8: bool) -> str:
    try:
        return data.decode(_UTF8).lstrip("\ufeff")
    except UnicodeDecodeError:
        pass
    if claims_utf8 or data.startswith(codecs.BOM_UTF8):
        text = data.decode(_UTF8, "replace")
        if not text.replace("\ufffd", "").isascii():
            return text.lstrip("\ufeff")  # real UTF-8 with some damage
    return data.decode(_WESTERN, "replace")
