import pytest

from mailcore.mime.snippet import preview


@pytest.mark.parametrize(
    "attribution",
    [
        "El lun, 3 nov 2026 a las 10:00, Ana escribió:",
        "El lun, 3 nov 2026 a las 10:00, Ana García\n<ana@casilla.example> escribió:",
        "El 3/11/26 a las 10:00, Ana escribió :",
        "On Mon, 3 Nov 2026 at 10:00, Ana wrote:",
        "Am 03.11.26 um 10:00 schrieb Ana:",
        "-----Mensaje original-----\nDe: Ana",
        "---------- Forwarded message ----------\nFrom: Ana",
    ],
)
def test_preview_shows_only_what_is_new(attribution):
    assert preview(f"De acuerdo.\n\n{attribution}\n> ¿Vienes?\n> Ana") == "De acuerdo."


def test_attribution_without_quote_is_left_out_at_the_end():
    assert preview("Sí.\n\nEl lun, 3 nov 2026, Ana escribió:\n") == "Sí."


def test_sentence_that_only_looks_like_one_stays():
    text = "El poeta escribió:\nNo hay camino."
    assert preview(text) == "El poeta escribió: No hay camino."


def test_answer_below_the_quote_is_shown():
    text = "El lun, Ana escribió:\n> ¿Vienes?\nMañana sí."
    assert preview(text) == "Mañana sí."
