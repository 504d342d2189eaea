"""Pages of public addresses: for whoever holds one, without an account.

No cookie, session or account takes part: the token in the address is all that opens a page, so it
is also what keeps others from sending its forms. Opening a page changes nothing; the words that
were asked for are shown to whoever asks for them by a button, and not to programs that fetch
addresses for a preview.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.http import content_disposition_header
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from config.core.errors import ProofsheetError
from config.core.pages import private_bytes
from moderation.appeals import hearing
from moderation.public_notices import issuers, notices, page_limits
from moderation.public_notices.public_form import FORM_TYPES, NotAForm, PublicAppealForm

PublicView = Callable[..., HttpResponse]


def _for_holders(view: PublicView) -> PublicView:
    """Without the check of a form's origin: browsers that send no referrer send no origin either,
    and nothing but the token gives a right here.
    """

    @csrf_exempt
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            page_limits.count_opened(request)
            response = view(request, *args, **kwargs)
        except ProofsheetError as error:
            response = render(request, "moderation/public_error.html", {"error": error})
            response.status_code = error.status
            if (seconds := getattr(error, "retry_after_s", None)) is not None:
                response["Retry-After"] = str(seconds)
        add_never_cache_headers(response)
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        return response

    return wrapped


@_for_holders
@require_safe
def notice(request: HttpRequest, token: str) -> HttpResponse:
    """The statement and the way to appeal; or that it waits for a person, and until when."""
    return _page(request, token)


@_for_holders
@require_POST
def words(request: HttpRequest, token: str) -> HttpResponse:
    """The same page with the words that were asked for."""
    return _page(request, token, shows_words=True)


@_for_holders
@require_http_methods(["GET", "HEAD", "POST"])
def appeal(request: HttpRequest, token: str) -> HttpResponse:
    """The receipt of an appeal, with its outcome once there is one; on POST the appeal itself."""
    if request.method != "POST":
        return _page(request, token)
    found = notices.read(token, at=timezone.now())
    if request.content_type not in FORM_TYPES and request.body:
        raise NotAForm
    form = PublicAppealForm(request.POST)
    if not form.is_valid():
        return _page(request, token, form=form, status=422)
    try:
        page_limits.count_appeal(request)
        decision = found.address.decided
        if decision is None:
            raise hearing.NotAppealable
        hearing.lodge(decision, holds=found.address, at=timezone.now(), **form.cleaned_data)
    except ProofsheetError as error:
        return _page(request, token, form=form, error=error, status=error.status)
    return redirect("moderation:public-appeal", token)


@_for_holders
@require_POST
def withdraw(request: HttpRequest, token: str) -> HttpResponse:
    """Take the appeal back, as long as nobody has heard it."""
    found = notices.read(token, at=timezone.now())
    if found.appeal is None:
        raise hearing.NotWithdrawable
    hearing.withdraw(found.appeal, holds=found.address, at=timezone.now())
    return redirect("moderation:public-appeal", token)


@_for_holders
@require_safe
def picture(request: HttpRequest, token: str, image_id: UUID) -> HttpResponse:
    """A picture that was let through, as it was signed; `?download` names it as a file."""
    found = notices.picture(notices.read(token, at=timezone.now()), image_id)
    response = private_bytes(found.read(), "image/png")
    said = content_disposition_header("download" in request.GET, f"proofsheet-{found.id}.png")
    response["Content-Disposition"] = said or "inline"
    return response


@_for_holders
@require_safe
def logo(request: HttpRequest, token: str) -> HttpResponse:
    """The logo of the product that the notice is for."""
    found = issuers.logo_of(notices.read(token, at=timezone.now()).issuer)
    if found is None:
        raise notices.PictureNotThere
    return private_bytes(*found)


def _page(
    request: HttpRequest,
    token: str,
    *,
    shows_words: bool = False,
    form: PublicAppealForm | None = None,
    error: ProofsheetError | None = None,
    status: int = 200,
) -> HttpResponse:
    found = notices.read(token, at=timezone.now())
    context = {
        "found": found,
        "notice": found.statement,
        "token": token,
        "shows_words": shows_words,
        "form": form or PublicAppealForm(),
        "error": error,
        "now": timezone.now(),
    }
    return render(request, "moderation/public_notice.html", context, status=status)
