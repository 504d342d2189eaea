"""Mails to a project's owners about its endpoints."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from config.core.projects.models import Membership
from config.webhooks.models import Delivery, Endpoint


def mail_switched_off(endpoint_id: UUID) -> None:
    """Tell the owners that an endpoint is off, why, and what waits; silent without addresses."""
    endpoint = Endpoint.objects.select_related("project").get(id=endpoint_id)
    if endpoint.is_on:
        return  # somebody was quicker
    owners = Membership.objects.filter(project=endpoint.project, role=Membership.MemberRole.OWNER)
    addresses = owners.exclude(user__email="").filter(user__is_active=True)
    found = sorted(set(addresses.values_list("user__email", flat=True)))
    if not found:
        return
    context = {
        "endpoint": endpoint,
        "waiting": endpoint.deliveries.filter(state=Delivery.State.WAITING).count(),
        "base_url": settings.PUBLIC_URL,
    }
    body = render_to_string("webhooks/mail_switched_off.txt", context)
    for address in found:  # one each: members need not know each other's addresses
        send_mail(f"Webhooks of {endpoint.project.name} are switched off", body, None, [address])
