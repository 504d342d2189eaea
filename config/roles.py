"""Roles are groups with permissions; the demo accounts are one person in each."""

from django.contrib.auth.models import Group, Permission

PERMISSIONS = {
    "moderators": ["moderation.review_cases"],
    "senior moderators": ["moderation.review_cases", "moderation.hear_appeals"],
    "compliance": ["moderation.export_reports"],
    "operators": [],
}
ROLES = {
    "alice": (),
    "bob": ("moderators",),
    "carol": ("moderators", "senior moderators"),
    "dora": ("compliance",),
    "olga": ("operators",),
}
PURPOSES = {
    "alice": "submits prompts",
    "bob": "reviews held cases",
    "carol": "reviews, and hears appeals",
    "dora": "exports reports",
    "olga": "operates (admin)",
}


def give_permissions(
    groups: type[Group] = Group, permissions: type[Permission] = Permission
) -> None:
    """Create every role's group and set its permissions. Safe to repeat."""
    for name, labels in PERMISSIONS.items():
        group, _ = groups.objects.get_or_create(name=name)
        codenames = [label.split(".", 1)[1] for label in labels]
        group.permissions.set(
            permissions.objects.filter(content_type__app_label="moderation", codename__in=codenames)
        )
