"""Who calls in these tests, made inside the house by `manage.py shell`: prints a key for each.

alice may do what a key may; sparing may make one picture a day; reader's key reads alone; gone's
key is revoked.
"""

import json
from secrets import token_hex

from django.contrib.auth.models import User
from django.utils import timezone

from config.accounts.api_keys import key_issuing
from generation.models import Allowance

SPARING = ("sparing", "sparing openai-python", "sparing openai-node", "sparing LiteLLM")
USUAL = ("read", "generate", "verify")


def key_of(user: User, *scopes: str) -> str:
    """A good key."""
    now = timezone.now()
    _, key = key_issuing.make(by=user, name="a client", scopes=scopes or USUAL, days=7, at=now)
    return key


def person(name: str) -> User:
    """An account that nobody signs in to, new at each run of the tests."""
    return User.objects.create_user(f"{name}-{token_hex(4)}")


def main() -> None:
    alice = User.objects.get(username="alice")
    gone = person("gone")
    keys = {
        "alice": key_of(alice),
        "reader": key_of(alice, "read"),
        "gone": key_of(gone),
    }
    for name in SPARING:
        owner = person("sparing")
        Allowance.objects.create(user=owner, images_a_day=1)
        keys[name] = key_of(owner)
    key_issuing.revoke_all(gone.pk, at=timezone.now())
    print(json.dumps(keys))


main()
