"""Every route is known here with who may open it, so that a new one cannot land without a test."""

from django.urls import URLPattern, URLResolver, get_resolver

OPEN = {"", "login/", "preferences/", "styleguide/", "healthz", "readyz", "u/<str:token>/"}
OPEN |= {"setup/<str:token>/", "u/captured/<str:token>/"}  # by their tokens
SIGNED_IN = {"logout/", "mail/"}
BOX = "mail/<uuid:mailbox_id>/"
MESSAGE = f"{BOX}m/<uuid:message_id>/"
OF_A_MAILBOX = {
    BOX,
    f"{BOX}act/",
    f"{BOX}undo/",
    f"{BOX}t/<uuid:thread_id>/",
    f"{BOX}<uuid:folder_id>/",
    f"{MESSAGE}body/",
    f"{MESSAGE}part/<str:part>/",
    f"{MESSAGE}source/",
    f"{MESSAGE}headers/",
    f"{MESSAGE}raw.eml",
    f"{MESSAGE}print/",
}


def _routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found |= _routes(pattern.url_patterns, route)
        else:
            found.add(route)
    return found


def test_no_route_is_unknown():
    routes = _routes(get_resolver().url_patterns)
    assert {
        route for route in routes if not route.startswith("console/")
    } == OPEN | SIGNED_IN | OF_A_MAILBOX


def test_every_page_of_a_mailbox_is_404_for_a_stranger_and_never_leaks(client_of, alice, mallory):
    """Ids of Alice's that exist and ids that do not are the same answer for Mallory."""
    stranger = client_of(mallory)
    unknown = "01a1fc9a-cefb-7d6c-9050-000000000000"
    for box in (str(alice.box), unknown):
        for route in OF_A_MAILBOX:
            path = "/" + route.replace("<uuid:mailbox_id>", box).replace("<str:part>", "1")
            for name in ("thread_id", "folder_id", "message_id"):
                path = path.replace(f"<uuid:{name}>", unknown)
            method = stranger.post if path.endswith(("/act/", "/undo/")) else stranger.get
            response = method(path)
            assert response.status_code == 404, path
            assert alice.address not in response.content.decode()
