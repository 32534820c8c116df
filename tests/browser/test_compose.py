"""Writing in a browser: with and without scripts, by keyboard, in Spanish on a phone."""

import re

import pytest
from playwright.sync_api import expect

from mailcore.directory import resolve
from mailcore.models.message import Draft, Message
from mailcore.models.queue import QueuedRecipient
from tests.browser.conftest import sign_in
from tests.support.people import make_person
from tests.webmail.conftest import deliver
from tests.webmail.mail.pages import folder_url, thread_url

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5E"
    "rkJggg=="
)


@pytest.fixture(autouse=True)
def _ground(settings, tmp_path):
    settings.OUTBOUND_MODE = "capture"
    resolve.forget()
    yield
    resolve.forget()


@pytest.fixture
def context(context):
    """Let pages say goodbye while the database still knows them: leaving saves."""
    made = []

    def new(**options: object):
        made.append(context(**options))
        return made[-1]

    yield new
    for one in made:
        for page in one.pages:
            page.goto("about:blank")
        one.close()


@pytest.fixture
def bob(alice):
    return make_person("bob@crepes.test", name="Bob Ortega")


def ready(page) -> None:
    """Wait until the compose page has its scripts: they fill in the time zone last."""
    page.locator("[data-zone]:not([value=''])").wait_for(state="attached")


def write(page, **fields: str) -> None:
    for name, value in fields.items():
        page.fill(f"[name={name}]", value)


def posted(page, name: str) -> str:
    """Return what the form would send now."""
    form = "new FormData(document.querySelector('[data-compose]'))"
    value: str = page.evaluate(f"name => {form}.get(name)", name)
    return value


def paste(page, selector: str, kind: str, data: str) -> None:
    """Paste as a person does, into what has the focus then."""
    page.focus(selector)
    page.evaluate(
        """([selector, kind, data]) => {
          const clipboardData = new DataTransfer();
          clipboardData.setData(kind, data);
          document.querySelector(selector).dispatchEvent(
            new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        [selector, kind, data],
    )


def test_by_keyboard_a_message_is_written_sent_and_taken_back(page, alice, bob):
    page.wait_for_load_state("load")
    page.keyboard.press("c")
    ready(page)
    page.locator("[name=to]:focus").wait_for()
    page.keyboard.type(bob.address)
    page.keyboard.press("Enter")  # a chip
    page.keyboard.press("Enter")  # on to the subject
    page.keyboard.type("Plan")
    page.keyboard.press("Enter")
    page.keyboard.type("At noon?")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#list")
    assert "Sending in 10 seconds." in page.inner_text("#toasts")
    page.keyboard.press("z")
    page.wait_for_selector("[data-compose]")
    assert page.input_value("textarea[name=text]") == "At noon?"
    assert [row.state for row in QueuedRecipient.objects.all()] == ["cancelled"]


def test_words_are_saved_by_themselves_and_survive_a_closed_tab(page, alice):
    page.goto(f"/mail/{alice.box}/compose/")
    ready(page)
    write(page, to="bob@crepes.test", subject="Half", text="a thought")
    page.get_by_text(re.compile("Saved at")).wait_for()
    assert re.search(r"/compose/[0-9a-f-]{36}/", page.url)
    write(page, text="a thought and the last words")
    context = page.context
    page.close(run_before_unload=True)
    again = context.new_page()
    again.goto(folder_url(alice, "drafts"))
    again.locator("[data-row] [data-open]").first.click()
    again.wait_for_selector("[data-compose]")
    assert again.input_value("textarea[name=text]") == "a thought and the last words"


@pytest.mark.parametrize("name", ["to", "cc", "bcc"])
def test_what_is_wrong_is_said_until_it_is_mended(page, alice, name):
    page.goto(f"/mail/{alice.box}/compose/")
    ready(page)
    page.click("[data-send]")
    fault = page.get_by_text("Say whom the message is for.")
    expect(fault).to_be_visible()
    page.locator("[data-zone]:not([value=''])").wait_for(state="attached")
    if name != "to":
        page.click(".compose__copies > summary")
    page.focus(f"[name={name}]")
    page.keyboard.type("b")
    expect(fault).to_be_hidden()
    expect(page.locator("[aria-invalid]")).to_have_count(0)
    page.get_by_text(re.compile("Saved at")).wait_for()


def test_without_the_server_words_stay_on_the_device(page, alice):
    page.goto(f"/mail/{alice.box}/compose/")
    ready(page)
    write(page, subject="Train", text="first")
    page.get_by_text(re.compile("Saved at")).wait_for()
    page.route("**/compose/**", lambda route: route.abort())
    write(page, text="in the tunnel")
    page.get_by_text("Not saved: kept on this device").wait_for()
    with page.expect_event("requestfailed"):  # or it would go through after `unroute`
        page.click("[data-send]")
    assert page.input_value("textarea[name=text]") == "in the tunnel"
    page.unroute("**/compose/**")
    page.reload()
    expect(page.locator("textarea[name=text]")).to_have_value("in the tunnel")


def test_a_dead_session_asks_and_loses_nothing(page, alice, bob):
    page.goto(f"/mail/{alice.box}/compose/")
    ready(page)
    write(page, to=bob.address, subject="Still here", text="every word")
    ready(page)
    page.context.clear_cookies(name="session")
    page.click("[data-send]")
    dialog = page.locator("#sign-in")
    dialog.locator("[name=password]").wait_for()
    dialog.locator("[name=login]").fill(alice.address)
    dialog.locator("[name=password]").fill("correct horse battery")
    dialog.locator("button").click()
    page.wait_for_selector("#list")
    assert QueuedRecipient.objects.get().forward_path == bob.address
    assert Draft.objects.get().text == "every word"


def test_two_windows_are_told_and_both_texts_live(page, alice):
    page.goto(f"/mail/{alice.box}/compose/")
    ready(page)
    write(page, subject="One")
    page.get_by_text(re.compile("Saved at")).wait_for()
    other = page.context.new_page()
    other.goto(page.url)
    write(other, subject="Two")
    other.get_by_text(re.compile("Saved at")).wait_for()
    write(page, subject="Mine")
    page.get_by_text(re.compile("Changed in another window")).wait_for()
    page.click("[data-send]")
    page.get_by_role("button", name="Keep both").click()
    page.locator(".compose__choices").wait_for(state="detached")
    assert set(Draft.objects.values_list("subject", flat=True)) == {"Two", "Mine"}


def test_files_show_progress_and_one_too_large_never_travels(page, alice, settings):
    page.goto(f"/mail/{alice.box}/compose/")
    ready(page)
    page.set_input_files(
        "[data-chooser]", [{"name": "año.txt", "mimeType": "text/plain", "buffer": b"hello"}]
    )
    page.get_by_text("año.txt").wait_for()
    page.wait_for_selector("[name=remove]")
    page.evaluate("document.querySelector('[data-compose]').dataset.maxBytes = '10'")
    asked: list[bytes] = []
    page.on("request", lambda one: asked.append(one.post_data_buffer or b""))
    page.set_input_files(
        "[data-chooser]", [{"name": "big.bin", "mimeType": "text/plain", "buffer": b"x" * 50}]
    )
    page.get_by_text("big.bin does not fit into a message.").wait_for()
    assert not [octets for octets in asked if b"x" * 50 in octets]
    page.click("[name=remove]")
    page.wait_for_selector("[name=remove]", state="detached")


def test_people_written_to_are_offered_by_keyboard(page, alice, bob):
    page.goto(f"/mail/{alice.box}/compose/")
    ready(page)
    write(page, to="Bob Ortega <bob@crepes.test>", subject="x", text="x")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("#list")
    page.goto(f"/mail/{alice.box}/compose/")
    page.wait_for_selector("[role=combobox]")
    page.type("[name=to]", "ort")
    page.wait_for_selector("[role=option]")
    page.keyboard.press("Enter")
    assert page.locator(".recipient").all_inner_texts() == ["Bob Ortega"]
    assert posted(page, "to") == "Bob Ortega <bob@crepes.test>"


def test_recipients_are_chips_and_every_character_is_posted(page, alice):
    page.goto(f"/mail/{alice.box}/compose/")
    page.wait_for_selector("[role=combobox]")
    paste(page, "[name=to]", "text/plain", '"Ruiz, Dora" <dora@a.test>; emil@b.test\nfay@c.test')
    page.type("[name=to]", "no address,half")
    chips = page.locator(".recipient")
    assert chips.all_inner_texts() == ["Ruiz, Dora", "emil@b.test", "fay@c.test", "no address"]
    assert page.locator(".recipient--bad").all_inner_texts() == ["no address"]
    everybody = '"Ruiz, Dora" <dora@a.test>, emil@b.test, fay@c.test, no address, half'
    assert posted(page, "to") == everybody
    for _ in "half ":
        page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")  # the bad one
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")  # Emil's can be changed where it stands
    page.keyboard.type("emil@new.test")
    page.keyboard.press("Tab")
    assert posted(page, "to") == '"Ruiz, Dora" <dora@a.test>, emil@new.test, fay@c.test'
    page.get_by_role("button", name="Remove fay@c.test").click()
    page.get_by_text(re.compile("Saved at")).wait_for()
    assert Draft.objects.get().recipients["to"] == '"Ruiz, Dora" <dora@a.test>, emil@new.test'


def test_rich_text_is_written_cleaned_and_comes_back(page, alice, bob):
    page.goto(f"/mail/{alice.box}/compose/")
    ready(page)
    write(page, to=bob.address, subject="Rich", text="Hello")
    page.click("[data-rich]")
    page.wait_for_selector(".compose__editor")
    page.locator(".compose__editor:focus").wait_for()
    page.click("[data-format=bold]")
    page.keyboard.type("Dear Bob ")
    paste(
        page, ".compose__editor", "text/html", "<p>pasted<img src='https://tracker.test/p.gif'></p>"
    )
    page.get_by_text("Images from elsewhere were left out", exact=False).wait_for()
    page.get_by_text(re.compile("Saved at")).wait_for()
    html = Draft.objects.get().html
    assert "<strong>Dear Bob" in html
    assert "tracker" not in html
    page.keyboard.press("Control+Shift+B")
    page.locator("[name=bcc]:focus").wait_for()
    page.focus(".compose__editor")
    page.keyboard.press("Control+k")
    page.fill("[name=href]", "no address")
    page.keyboard.press("Enter")
    page.get_by_text("That is no address of a page").wait_for()
    page.fill("[name=href]", "example.org")
    page.fill("#link [name=text]", "a page")
    page.keyboard.press("Enter")
    page.locator(".compose__editor a[href='https://example.org']").wait_for()
    page.evaluate(
        """png => {
      const clipboardData = new DataTransfer();
      const octets = Uint8Array.from(atob(png), (one) => one.charCodeAt(0));
      clipboardData.items.add(new File([octets], "view.png", { type: "image/png" }));
      document.querySelector(".compose__editor").dispatchEvent(
        new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    }""",
        PIXEL,
    )
    page.wait_for_selector(".compose__editor img[alt='view.png']")
    assert page.evaluate("document.querySelector('.compose__editor img').naturalWidth") == 1
    page.keyboard.type("below")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.keyboard.press("Control+s")
    html = Draft.objects.get().html
    assert re.search(r'<img src="cid:\w+@casilla" alt="view.png"><p>below', html), html
    page.reload()
    page.wait_for_selector(".compose__editor strong")
    page.wait_for_selector(".compose__editor img[alt='view.png']")
    page.click("[data-rich]")
    assert page.input_value("textarea[name=text]").startswith("Dear Bob")


def test_r_answers_the_open_message_with_the_cursor_above_the_quote(page, alice):
    (message,) = deliver(alice)
    page.goto(thread_url(alice, message))
    page.wait_for_load_state("load")
    page.keyboard.press("r")
    ready(page)
    page.locator("textarea[name=text]:focus").wait_for()
    page.keyboard.type("Yes.")
    assert page.input_value("textarea[name=text]").startswith("Yes.\n\nOn ")


def test_without_scripts_everything_works_too(context, alice, bob):
    page = context(java_script_enabled=False).new_page()
    sign_in(page, alice)
    page.click("[data-write]")
    write(page, to="nobody@crepes.test", subject="Plain", text="No script")
    page.set_input_files(
        "[name=file]", [{"name": "a.txt", "mimeType": "text/plain", "buffer": b"hello"}]
    )
    page.click("[name=attach]")
    assert page.get_by_text("a.txt").is_visible()
    page.click(".compose__bar [name=send]")
    assert "That address does not exist" in page.inner_text("[data-fault]")
    write(page, to=bob.address)
    page.click(".compose__bar [name=send]")
    page.get_by_role("button", name="Undo").click()
    assert page.input_value("textarea[name=text]") == "No script"
    page.click(".compose__later")
    page.get_by_role("button", name="Tomorrow morning").click()
    assert "Will be sent on" in page.inner_text("#toasts")
    page.goto(folder_url(alice, "drafts"))
    assert Message.objects.filter(mailbox=alice.mailbox, folder__role="drafts").count() == 0


def test_in_spanish_on_a_phone_nothing_is_cut_and_it_is_sent(context, alice, bob):
    page = context(
        locale="es-ES", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    ).new_page()
    sign_in(page, alice)
    page.click(".float")
    page.wait_for_selector("[data-compose]")
    write(page, to=bob.address, subject="Hola", text="¿A mediodía?")
    page.get_by_text(re.compile(r"Guardado \d")).wait_for(state="attached")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    page.get_by_role("button", name="Enviar", exact=True).click()
    page.wait_for_selector("#list")
    assert "Se enviará en 10 segundos." in page.inner_text("#toasts")


@pytest.mark.parametrize("size", [(320, 640), (700, 500)])
def test_no_width_scrolls_sideways(context, alice, size):
    width, height = size
    page = context(viewport={"width": width, "height": height}).new_page()
    sign_in(page, alice)
    page.goto(f"/mail/{alice.box}/compose/")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
