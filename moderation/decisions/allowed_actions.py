"""What may be decided about a case: which measures, on which grounds, and whether two decide."""

from config.core.errors import ProofsheetError
from moderation.cases.review_cases import SEVERE, policy_version_of
from moderation.models import ReviewCase
from moderation.policy.rulebook import policy_document
from moderation.subjects.actions import ACTIONS, DAYS, PICTURES, Terms
from moderation.subjects.subject import Action

ALLOW_REASONS = {
    "within_policy": "Within the policy",
    "context_excuses": "Medical, educational or art-historical context",
}
UNFOUNDED = "report_unfounded"  # the reason of a decision that allows
IF_REPORTED = {UNFOUNDED: "The report is manifestly unfounded"}


class ReasonUnknown(ProofsheetError):
    """The reason is not one that the policy knows for this action."""

    default_code = "reason_unknown"
    default_message = "This reason does not belong to the decision."
    default_advice = "Choose one of the reasons in the list."
    default_status = 422


class NotOffered(ProofsheetError):
    """The measure does not fit the subject, such as blurring a prompt."""

    default_code = "measure_not_offered"
    default_message = "This decision is not possible for this case."
    default_advice = "Choose one of the decisions on its page."
    default_status = 422


class TermsInvalid(ProofsheetError):
    """A suspension without its days, or a withdrawal of an adapter that was not used."""

    default_code = "terms_invalid"
    default_message = "This decision lacks how long it lasts, or which adapter it is about."
    default_advice = f"Suspend for one of {', '.join(map(str, DAYS))} days; name a used adapter."
    default_status = 422


def actions_of(case: ReviewCase) -> list[Action]:
    """The measures that fit the case, in the order of the desk's buttons.

    A blind case has the two that every one has, and an upload that nothing shows is never blurred.
    """
    if case.is_blind:
        return ["allow", "refuse"]
    is_uploaded = case.seen.is_uploaded
    return [
        action
        for action, measure in ACTIONS.items()
        if case.subject_kind in measure.kinds
        and (case.owner_id is not None or not measure.is_for_owners)
        and not (is_uploaded and measure.kinds == PICTURES)
        and (action != "withdraw_adapter" or case.subject_kind == "adapter" or adapters_of(case))
    ]


def adapters_of(case: ReviewCase) -> dict[str, str]:
    """Slug to name of the adapters that a picture was made with."""
    if case.subject_kind != "image" or case.seen.is_uploaded:
        return {}
    return {used.slug: used.name for used in case.seen.adapters or ()}


def reasons_for(action: Action, *, policy_version: str) -> dict[str, str]:
    """Structured reasons and their titles: the policy's categories for a restriction.

    What is refused under every profile cannot merely be blurred or kept for adults.
    """
    if action == "allow":
        return ALLOW_REASONS
    is_shown = ACTIONS[action].outcome in {"blur", "age_restrict"}
    categories = policy_document.load(policy_version).categories
    usual = list(
        policy_document.load(policy_document.ACTIVE["general"]).categories
    )  # a number means one rule always
    return {
        name: categories[name].title
        for name in sorted(categories, key=usual.index)
        if not (is_shown and categories[name].is_floor)
    }


def reasons_of(case: ReviewCase, action: Action) -> dict[str, str]:
    """The reasons for a case; one that was reported has one more to allow."""
    reasons = reasons_for(action, policy_version=policy_version_of(case))
    is_more = action == "allow" and case.seen.is_reported
    return reasons | IF_REPORTED if is_more else reasons


def is_severe(case: ReviewCase, *, action: Action, reason: str) -> bool:
    """Whether a second person has to confirm: the measure asks for it, or the case or its reason is
    of a severest category.
    """
    categories = policy_document.load(policy_version_of(case)).categories
    involved = [categories[name] for name in (case.category, reason) if name in categories]
    is_grave = any(category.severity >= SEVERE for category in involved)
    return is_grave or ACTIONS[action].needs_second_person


def check(case: ReviewCase, *, action: Action, reason: str, terms: Terms) -> None:
    """Raise NotOffered, ReasonUnknown or TermsInvalid unless the case can be decided so."""
    if action not in actions_of(case):
        raise NotOffered
    if reason not in reasons_of(case, action):
        raise ReasonUnknown
    if (action == "suspend") != (terms.days in DAYS) or (terms.days and terms.days not in DAYS):
        raise TermsInvalid
    is_of_adapter = action == "withdraw_adapter" and case.subject_kind == "image"
    if is_of_adapter and terms.adapter not in adapters_of(case):
        raise TermsInvalid
