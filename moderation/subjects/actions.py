"""What a reviewer can decide, as one table: words, key, effect, who has to agree. Pure.

``outcome`` is what the subject's room is told to do. Everything but *allow* is a restriction in the
sense of the Digital Services Act: it gets a statement of reasons and can be appealed against.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from moderation.subjects.subject import Action, Kind

Outcome = Literal["allow", "refuse", "blur", "age_restrict", "withdraw", "restore"]
DAYS = (1, 7, 30, 90)  # how long an account can be suspended


@dataclass(frozen=True, slots=True)
class ActionRule:
    """One decision. `done` is what holds once it has effect, `told` what its owner reads, `effect`
    what a reviewer is told beforehand.
    """

    label: str
    done: str
    told: str
    effect: str
    key: str
    kinds: frozenset[Kind]
    outcome: Outcome = "refuse"
    needs_second_person: bool = False
    is_for_owners: bool = False  # there must be an account that it concerns
    may_be_bulk: bool = True


@dataclass(frozen=True, slots=True)
class Terms:
    """What a measure needs beyond its reason: days of a suspension, slug of an adapter."""

    days: int | None = None
    adapter: str = ""


EVERYTHING: frozenset[Kind] = frozenset({"prompt", "image", "adapter"})
PICTURES: frozenset[Kind] = frozenset({"image"})
ACTIONS: Mapping[Action, ActionRule] = {
    "allow": ActionRule(
        label="Allow",
        done="Allowed",
        told="allowed",
        effect="Pictures are released, prompts are made; their owners are told.",
        key="a",
        kinds=EVERYTHING,
        outcome="allow",
    ),
    "refuse": ActionRule(
        label="Refuse",
        done="Refused",
        told="refused",
        effect="Nothing is shown or made of it; each owner gets a statement of reasons.",
        key="r",
        kinds=EVERYTHING,
    ),
    "blur": ActionRule(
        label="Blur",
        done="Blurred",
        told="blurred",
        effect="Pictures are released blurred; each owner gets a statement of reasons.",
        key="l",
        kinds=PICTURES,
        outcome="blur",
    ),
    "age_restrict": ActionRule(
        label="Adults only",
        done="Restricted to adults",
        told="restricted to adults",
        effect="Pictures are released to adults only; each owner gets a statement of reasons.",
        key="g",
        kinds=PICTURES,
        outcome="age_restrict",
    ),
    "withdraw_adapter": ActionRule(
        label="Withdraw the adapter",
        done="Adapter withdrawn",
        told="withdrawn",
        effect="No new request can use the adapter, and a picture made with it is withheld.",
        key="d",
        kinds=frozenset({"image", "adapter"}),
        may_be_bulk=False,
    ),
    "warn": ActionRule(
        label="Refuse and warn",
        done="Refused, account warned",
        told="refused, and you are warned",
        effect="As refusing, and each owner's account gets a warning.",
        key="w",
        kinds=EVERYTHING,
        is_for_owners=True,
    ),
    "suspend": ActionRule(
        label="Refuse and suspend",
        done="Refused, account suspended",
        told="refused, and your account is suspended",
        effect="As refusing, and the account can ask for nothing new for a while.",
        key="s",
        kinds=EVERYTHING,
        needs_second_person=True,
        is_for_owners=True,
        may_be_bulk=False,
    ),
}
RESTRICTIONS: tuple[Action, ...] = tuple(action for action in ACTIONS if action != "allow")
ON_ACCOUNTS: tuple[Action, ...] = ("warn", "suspend")


def outcome_of(action: Action, kind: Kind) -> Outcome:
    """What happens to the subject itself: a picture whose adapter is withdrawn is refused too."""
    if action == "withdraw_adapter" and kind == "adapter":
        return "withdraw"
    return ACTIONS[action].outcome


def code_of(action: Action, kind: Kind) -> str:
    """The stable code of a decision, such as ``image_blurred``."""
    match action:
        case "warn":
            return "account_warned"
        case "suspend":
            return "account_suspended"
        case "allow":
            return f"{kind}_allowed"
        case "blur":
            return f"{kind}_blurred"
        case "age_restrict":
            return f"{kind}_age_restricted"
        case "withdraw_adapter" if kind == "adapter":
            return "adapter_withdrawn"
        case _:
            return f"{kind}_refused"
