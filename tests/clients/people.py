"""Who calls in these tests, made inside the house by `manage.py shell`: prints a key for each.

alice may do what a key may; card is shown refusals as pictures; each of the sparing may make one
picture a day; reader's key reads alone; gone's key is revoked; product's key is of a project, each
of whose end users may make one picture a day.
"""

import json
from secrets import token_hex

from django.contrib.auth.models import User
from django.utils import timezone

from config.accounts.api_keys import key_issuing
from config.accounts.projects import administering
from config.core.projects.models import Project
from generation.models import Allowance

SPARING = (
    "sparing", "sparing openai-python", "sparing openai-node", "sparing LiteLLM",
    "once openai-python", "once openai-python 1.x", "once openai-node", "once LiteLLM",
    "once refused", "bad input", "leaves", "half",
)  # fmt: skip
A_PRODUCTS = ("webhooks", "manage", "appeals.act")
USUAL = ("read", "generate", "verify", "moderate")


def key_of(
    user: User, *scopes: str, project: Project | None = None, refusal_as: str = "error"
) -> str:
    """A good key."""
    _, key = key_issuing.make(
        by=user,
        project=project,
        name="a client",
        scopes=scopes or USUAL,
        days=7,
        refusal_as=refusal_as,
        at=timezone.now(),
    )
    return key


def product_of(owner: User) -> Project:
    """A project with end users."""
    made = administering.make(by=owner, name="Shop", organisation="Shop Ltd", at=timezone.now())
    return administering.change(made.id, {"end_user_images_a_day": 1}, by=owner)


def person(name: str) -> User:
    """An account that nobody signs in to, new at each run of the tests."""
    return User.objects.create_user(f"{name}-{token_hex(4)}")


def main() -> None:
    alice = User.objects.get(username="alice")
    gone = person("gone")
    shopkeeper = person("shopkeeper")
    product = product_of(shopkeeper)
    keys = {
        "alice": key_of(alice),
        "card": key_of(person("card"), refusal_as="card"),
        "product": key_of(shopkeeper, *USUAL, *A_PRODUCTS, project=product),
        "reader": key_of(alice, "read"),
        "gone": key_of(gone),
    }
    for name in SPARING:
        owner = person("sparing")
        Allowance.objects.create(user=owner, images_a_day=1)
        keys[name] = key_of(owner)
    key_issuing.revoke_all(gone.pk, at=timezone.now())
    print(json.dumps({"keys": keys, "product": str(product.id)}))


main()
