"""Static files under ASGI: WhiteNoise finds and negotiates, the answer leaves in one piece.

WhiteNoise streams a file with a synchronous iterator, which Django's ASGI handler reads whole
anyway, with a warning for each. Ours are small; large files are not served here.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]  # WhiteNoise has no types
    """WhiteNoise, but for how the octets leave."""

    @staticmethod
    def serve(static_file: StaticFile, request: HttpRequest) -> HttpResponse:
        """Answer GET or HEAD: 200, 206, 304 or 416 as WhiteNoise decides."""
        found = static_file.get_response(request.method, request.META)
        content = b""
        if found.file is not None:
            with found.file as file:
                content = file.read()
        answer = HttpResponse(content, status=int(found.status))
        del answer.headers["Content-Type"]
        for name, value in found.headers:
            answer.headers[name] = value
        return answer
