"""Which audience profile a person chose, as far as the site offers it."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, User
from django.db import transaction

from config.core.errors import ProofsheetError
from config.core.projects import calling
from config.core.projects.models import Project
from moderation.models import AudienceChoice
from moderation.policy.rulebook import policy_document

GENERAL = "general"
NEED_AGE = frozenset({"adult"})


class ProfileNotOffered(ProofsheetError):
    """The site does not offer this profile, or there is none of that name."""

    default_code = "profile_not_offered"
    default_message = "This site does not offer that audience profile."
    default_advice = "Choose one of the profiles on the page."
    default_status = 422


class AgeNotAttested(ProofsheetError):
    """A profile for adults was chosen without the statement of age."""

    default_code = "age_not_attested"
    default_message = "This profile is for people of 18 and older only."
    default_advice = "Say that you are of age, or choose another profile."
    default_status = 422


def offered() -> list[policy_document.Rulebook]:
    """The policies in force of the profiles that the site offers; the general one is always one."""
    wanted = {GENERAL, *settings.PROOFSHEET_PROFILES}
    return [policy_document.active(name) for name in policy_document.ACTIVE if name in wanted]


def profile_of(user_id: int | None) -> str:
    """The profile under which a person's prompts and pictures are judged.

    The general one for whoever chose none, and for everybody once the site stops offering theirs.
    """
    if user_id is None:
        return GENERAL
    choice = AudienceChoice.objects.filter(user_id=user_id).first()
    names = {found.profile for found in offered()}
    return choice.profile if choice and choice.profile in names else GENERAL


def profile_for(project: Project) -> str:
    """The profile under which what a project asks for is judged: its own, as far as the site offers
    it and it is for adults only where it may be; else what its person chose."""
    names = {found.profile for found in offered()}
    chosen = project.policy_profile
    if not chosen:
        return profile_of(project.personal_of_id)
    if chosen not in names or (chosen in NEED_AGE and not project.allows_adult):
        return GENERAL
    return chosen


def policy_of(user_id: int | None) -> policy_document.Rulebook:
    """The policy in force for a person's pictures."""
    return policy_document.active(profile_of(user_id))


def is_of_age(user_id: int | None) -> bool:
    """Whether a person chose an audience of adults that the site offers, and said to be of age."""
    return profile_of(user_id) in NEED_AGE


def may_have_adult(user: AbstractBaseUser, project: Project | None) -> bool:
    """Whether somebody may have a project's pictures for adults. A person's own goes by what the
    person said. In one of several people adult content has to exist; then its keys may, for the
    product knows how old those are whom it serves, and members who are of age."""
    if not may_keys_have_adult(project, user.pk):
        return False
    is_own = project is None or project.is_personal
    return is_own or calling.acting_in(user) is not None or is_of_age(user.pk)


def may_keys_have_adult(project: Project | None, owner_id: int) -> bool:
    """Whether a key of `owner_id` in that project may, and whoever holds an address from it."""
    return is_of_age(owner_id) if project is None or project.is_personal else project.allows_adult


@transaction.atomic
def choose(profile: str, *, by: User, is_of_age: bool, at: datetime) -> AudienceChoice:
    """Choose the profile for everything that `by` asks for from now on.

    Raises ProfileNotOffered, AgeNotAttested.
    """
    if profile not in {found.profile for found in offered()}:
        raise ProfileNotOffered
    if profile in NEED_AGE and not is_of_age:
        raise AgeNotAttested
    attested_at = at if profile in NEED_AGE else None
    choice, _ = AudienceChoice.objects.update_or_create(
        user=by, defaults={"profile": profile, "chosen_at": at, "attested_at": attested_at}
    )
    return choice
