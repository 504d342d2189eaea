"""The page on which a person chooses their audience profile."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from config.core.errors import ProofsheetError
from config.core.pages import SignedIn, page
from moderation.account_status import audiences


@require_http_methods(["GET", "POST"])
@page
def audience(request: SignedIn) -> HttpResponse:
    """Everybody chooses the audience that their own prompts are judged for."""
    if request.method == "GET":
        return _page(request)
    try:
        chosen = audiences.choose(
            request.POST.get("profile", ""),
            by=request.user,
            is_of_age="is_of_age" in request.POST,
            at=timezone.now(),
        )
    except ProofsheetError as error:
        return _page(request, error)
    messages.success(request, f"Your prompts are judged for the audience “{chosen.profile}” now.")
    return redirect("moderation:audience")


def _page(request: SignedIn, error: ProofsheetError | None = None) -> HttpResponse:
    context = {
        "policies": audiences.offered(),
        "chosen": request.POST.get("profile") or audiences.profile_of(request.user.pk),
        "need_age": audiences.NEED_AGE,
        "error": error,
    }
    status = error.status if error else 200
    return render(request, "moderation/audience.html", context, status=status)
