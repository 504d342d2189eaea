"""Roles are groups with permissions; the demo accounts are one person in each."""

from django.contrib.auth.models import Group, Permission

# An operator looks at the machinery, opens and closes accounts and switches models on and off.
# Roles are changed by two of those who may (config/accounts/roles/role_changes.py).
# Cases, decisions, appeals and the log change only through the functions of their rooms. How
# reviewers rest, and what they write to each other, is not for operators to see.
_SEEN_BY_OPERATORS = {
    "auth": ("user", "group"),
    "adapters": ("basemodel", "adapter"),
    "generation": ("generationrequest", "generatedimage"),
    "moderation": (
        "policy", "screening", "reviewcase", "pendingdecision", "decision", "statement", "appeal",
        "reveal", "suspension", "report", "export", "hashbank", "bankmatch",
    ),
    "provenance": (
        "asset",
        "checkpoint",
        "cosignature",
        "logentry",
        "timestamp",
        "verifyfeedback",
    ),
}  # fmt: skip
PERMISSIONS = {
    "moderators": ["moderation.review_cases"],
    "senior moderators": [
        "moderation.review_cases",
        "moderation.hear_appeals",
        "moderation.propose_policies",
        "moderation.govern_policies",
        "house.change_roles",
    ],
    "compliance": ["moderation.export_reports", "moderation.propose_policies"],
    "trusted flaggers": ["moderation.flag_with_trust"],
    "operators": [
        "house.change_roles",
        "projects.grant_quotas",
        "auth.add_user",
        "auth.change_user",
        "adapters.change_basemodel",
        *(f"{app}.view_{name}" for app, names in _SEEN_BY_OPERATORS.items() for name in names),
    ],
}
ROLES = {
    "alice": (),
    "bob": ("moderators",),
    "carol": ("moderators", "senior moderators"),
    "dora": ("compliance",),
    "erin": ("moderators", "senior moderators"),
    "olga": ("operators",),
}
PURPOSES = {
    "alice": "submits prompts",
    "bob": "reviews held cases",
    "carol": "reviews, hears appeals, puts policies in force",
    "dora": "exports reports, proposes policies",
    "erin": "is carol's second person",
    "olga": "operates (admin)",
}


def give_permissions(
    groups: type[Group] = Group, permissions: type[Permission] = Permission
) -> None:
    """Create every role's group and set its permissions. Safe to repeat.

    Raises Permission.DoesNotExist for a permission that no room defines.
    """
    codenames = {label.split(".")[1] for labels in PERMISSIONS.values() for label in labels}
    known = {
        f"{each.content_type.app_label}.{each.codename}": each
        for each in permissions.objects.select_related("content_type").filter(
            codename__in=codenames
        )
    }
    for name, labels in PERMISSIONS.items():
        if unknown := [label for label in labels if label not in known]:
            raise permissions.DoesNotExist(", ".join(unknown))
        group, _ = groups.objects.get_or_create(name=name)
        group.permissions.set([known[label] for label in labels])
