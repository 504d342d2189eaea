"""Who may see audits, and who may start them and record what was decided on them."""

from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.http.response import HttpResponseBase

from config.core.api.view import ApiView, person
from config.core.errors import ProofsheetError
from config.core.pages import Page, SignedIn, page


class NotAnAuditor(ProofsheetError):
    """Audits are for people with the role."""

    default_code = "not_an_auditor"
    default_message = "Audits are for compliance staff and senior moderators."
    default_advice = "If you should see them, ask the operator for the role."
    default_status = 403


def may_audit(by: User) -> bool:
    """Compliance staff and senior moderators may."""
    return by.has_perm("moderation.export_reports") or by.has_perm("moderation.hear_appeals")


class NotCompliance(ProofsheetError):
    """Audits take device time and decisions on them bind the house."""

    default_code = "not_compliance"
    default_message = "Only compliance staff start audits and record what was decided on them."
    default_advice = "You can read every report; ask them for what you need."
    default_status = 403


def check_compliance(by: User) -> None:
    """Raises NotCompliance."""
    if not is_compliance(by):
        raise NotCompliance


def is_compliance(by: User) -> bool:
    """Whether the account may start audits and decide on them."""
    return by.has_perm("moderation.export_reports")


def check_auditor(by: User) -> None:
    """Raises NotAnAuditor."""
    if not may_audit(by):
        raise NotAnAuditor


def for_auditors(view: Page) -> Any:
    """A page for those who may see audits."""

    @wraps(view)
    def wrapped(request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponseBase:
        check_auditor(request.user)
        return view(request, *args, **kwargs)

    return page(wrapped)


class AuditView(ApiView):
    """For compliance and for senior moderators, as the pages are."""

    def auditor(self) -> User:
        """Raises NotAnAuditor."""
        user = person(self.request)
        check_auditor(user)
        return user
