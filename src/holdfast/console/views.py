"""The pages."""

from pathlib import Path

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from holdfast.console.actions import action
from holdfast.console.health import gather
from holdfast.console.parts import parts

STYLE = (Path(__file__).parent / "style.css").read_bytes()


@action("health.read")
@require_safe
async def health_page(request: HttpRequest) -> HttpResponse:
    """How everything stands, for people. 200 whatever is the matter: the page itself works."""
    own = parts()
    found = await gather(own)
    counts = [(name.replace("_", " ").capitalize(), f"{value:,}") for name, value in found.counts.items()]
    return render(request, "holdfast/health.html", {"health": found, "counts": counts, "addresses": own.addresses})


@action("health.read")
@require_safe
async def health(request: HttpRequest) -> JsonResponse:
    """The same for programs: 200 if all is well, else 503."""
    found = await gather(parts())
    return JsonResponse(found.value(), status=200 if found.well else 503)


@action("style.read")
@require_safe
async def style(request: HttpRequest) -> HttpResponse:
    """The one style sheet."""
    return HttpResponse(STYLE, content_type="text/css; charset=utf-8", headers={"Cache-Control": "max-age=300"})
