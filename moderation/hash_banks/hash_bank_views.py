"""Banks of known bad pictures for senior moderators: begin, fill, enforce and export them."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.core.errors import ProofsheetError
from config.core.pages import SignedIn, page, private_bytes
from moderation.hash_banks import known_pictures
from moderation.policy.rulebook import policy_document
from provenance.pictures.decoder import PictureUnreadable


@require_GET
@page
def bank_list(request: SignedIn) -> HttpResponse:
    """Senior moderators read which banks there are, and how each acts."""
    return _page(request)


@require_POST
@page
def create(request: SignedIn) -> HttpResponse:
    """Make an empty bank for a category."""
    try:
        made = known_pictures.create(
            request.POST.get("name", ""),
            category=request.POST.get("category", ""),
            by=request.user,
            at=timezone.now(),
        )
    except known_pictures.BankInvalid as error:
        return _page(request, error)
    messages.success(request, f"The bank “{made.name}” is there. It acts on nothing yet.")
    return redirect("moderation:banks")


@require_POST
@page
def fill(request: SignedIn, name: str) -> HttpResponse:
    """Add a list of fingerprints, or the fingerprint of a picture."""
    bank = known_pictures.find(name, by=request.user)
    now = timezone.now()
    try:
        if picture := request.FILES.get("picture"):
            note = request.POST.get("note", "")
            added = known_pictures.add_picture(
                bank, picture.read(), note=note, by=request.user, at=now
            )
        else:
            file = request.FILES.get("hashes")
            if file is None or (file.size or 0) > known_pictures.LONGEST_FILE_BYTES:
                raise known_pictures.HashFileInvalid(message="Choose a file of at most 16 MiB.")
            added = known_pictures.take_in(bank, file.read(), by=request.user, at=now)
    except (known_pictures.HashFileInvalid, PictureUnreadable) as error:
        return _page(request, error)
    messages.success(request, f"{added} new in “{bank.name}”.")
    return redirect("moderation:banks")


@require_POST
@page
def enforce(request: SignedIn, name: str) -> HttpResponse:
    """Choose how many per cent of a bank act."""
    bank = known_pictures.find(name, by=request.user)
    try:
        changed = known_pictures.enforce(bank, _percent(request), by=request.user)
    except known_pictures.BankInvalid as error:
        return _page(request, error)
    messages.success(request, f"{changed.enforced_percent} % of “{bank.name}” acts now.")
    return redirect("moderation:banks")


def _percent(request: SignedIn) -> int:
    """Raises known_pictures.BankInvalid for what is no number."""
    try:
        return int(request.POST.get("percent", ""))
    except ValueError:
        raise known_pictures.BankInvalid from None


@require_GET
@page
def export(request: SignedIn, name: str) -> HttpResponse:
    """Download a bank's fingerprints as CSV."""
    bank = known_pictures.find(name, by=request.user)
    answer = private_bytes(known_pictures.export(bank, by=request.user), "text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{bank.name}.csv"'
    return answer


def _page(request: SignedIn, error: ProofsheetError | None = None) -> HttpResponse:
    context = {
        "banks": known_pictures.overview(by=request.user),
        "categories": policy_document.active("general").categories.values(),
        "name": request.POST.get("name", ""),
        "error": error,
    }
    status = error.status if error else 200
    return render(request, "moderation/banks.html", context, status=status)
