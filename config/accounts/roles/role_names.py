"""How the roles are called, for settings, which are read before any model is there. Pure."""

ROLE_NAMES = frozenset(
    {"moderators", "senior moderators", "compliance", "trusted flaggers", "operators"}
)
