"""The table of keys: one for the sheet and the script."""

import re

from mailcore.html.document import FORWARDED_KEYS
from mailcore.personal import preferences
from tests.support.sources import ROOT
from tests.webmail.mail.pages import folder_url
from webmail.mail.keymap import GROUPS

KEYS = [key for group in GROUPS for key in group.keys]
UNDOABLE = {"destroy"}


def test_every_action_of_the_table_is_one_of_the_script_and_back():
    script = (ROOT / "static" / "js" / "keys.js").read_text(encoding="utf-8")
    block = script.partition("const ACTIONS = {")[2].partition("\n};")[0]
    assert {key.action for key in KEYS} == set(re.findall(r"^  (\w+)[:,]", block, re.M))


def test_no_key_does_two_things():
    all_keys = [one for key in KEYS for one in key.keys]
    assert len(all_keys) == len(set(all_keys))
    firsts = {one.split(" ")[0] for one in all_keys if " " in one}
    assert not firsts & set(all_keys)


def test_what_cannot_be_undone_never_comes_from_a_mail():
    forbidden = {one for key in KEYS if key.action in UNDOABLE for one in key.keys}
    assert not forbidden & set(FORWARDED_KEYS)


def test_the_sheet_and_the_palette_are_on_the_page_and_keys_can_be_off(web, alice):
    page = web.get(folder_url(alice)).content.decode()
    assert 'data-keys="j|ArrowDown" data-action="next"' in page
    assert 'id="palette"' in page
    assert "data-keys-off" not in page
    preferences.save(alice.user, keys=False)
    assert "data-keys-off" in web.get(folder_url(alice)).content.decode()
