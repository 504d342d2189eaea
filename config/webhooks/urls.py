from django.urls import path

from config.webhooks import webhook_views

_ALL = "projects/<uuid:project_id>/webhooks/"
_ONE = f"{_ALL}<uuid:endpoint_id>/"

urlpatterns = [
    path(_ALL, webhook_views.list_endpoints, name="webhooks"),
    path(f"{_ALL}make/", webhook_views.make, name="webhook-make"),
    path(_ONE, webhook_views.show, name="webhook"),
    path(f"{_ONE}change/", webhook_views.change, name="webhook-change"),
    path(f"{_ONE}switch/", webhook_views.switch, name="webhook-switch"),
    path(f"{_ONE}rotate/", webhook_views.rotate, name="webhook-rotate"),
    path(f"{_ONE}test/", webhook_views.send_test, name="webhook-test"),
    path(f"{_ONE}delete/", webhook_views.delete, name="webhook-delete"),
    path(
        f"{_ONE}deliveries/<uuid:delivery_id>/replay/",
        webhook_views.replay,
        name="webhook-replay",
    ),
]
