"""`manage.py check_sign_on`: what the house understood of SIGN_ON_FILE, and whether it works."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.test import RequestFactory

from config.accounts.second_factor import requirement
from config.accounts.single_sign_on.oidc.code_flow import CodeFlow
from config.accounts.single_sign_on.sign_on_file import IdentityProvider
from config.accounts.single_sign_on.sign_on_told import told
from config.core.errors import ProofsheetError


class Command(BaseCommand):
    help = "Ask every identity provider what it says of itself, and look at the emergency accounts."

    def handle(self, *args: Any, **said: Any) -> None:
        if not told().providers:
            raise CommandError("SIGN_ON_FILE names no provider.")
        wrong = [problem for one in told().providers if (problem := self._look_at(one))]
        wrong += [problem for name in told().emergency if (problem := _emergency(name))]
        if wrong:
            raise CommandError("\n".join(wrong))
        self.stdout.write("Everything is as it should be.")

    def _look_at(self, provider: IdentityProvider) -> str:
        roles = ", ".join(sorted({role for names in provider.roles.values() for role in names}))
        self.stdout.write(
            f"{provider.id} ({provider.kind}, {provider.name}): {len(provider.roles)} groups give "
            f"{roles or 'no role'}; accounts are made: {provider.sign_up}"
        )
        if provider.kind == "saml":
            return ""
        try:
            issuer = CodeFlow(RequestFactory().get("/"), provider.id).openid_config["issuer"]
        except ProofsheetError as error:
            return f"{provider.id}: {error} The file says {provider.issuer}."
        self.stdout.write(f"  answers as {issuer}")
        return ""


def _emergency(name: str) -> str:
    account = User.objects.filter(username=name, is_active=True).first()
    if account is None:
        return f"emergency account {name}: there is no open account of that name."
    if not account.has_usable_password() or not requirement.has_one(account):
        return f"emergency account {name}: it has no password or no second factor."
    return ""
