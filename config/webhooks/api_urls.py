from django.urls import path

from config.webhooks import webhook_api

_ALL = "projects/<uuid:project_id>/webhooks/"
_ONE = f"{_ALL}<uuid:endpoint_id>/"

urlpatterns = [
    path(_ALL, webhook_api.ProjectEndpoints.as_view(), name="api-webhooks"),
    path(_ONE, webhook_api.OneEndpoint.as_view(), name="api-webhook"),
    path(f"{_ONE}rotate/", webhook_api.EndpointRotation.as_view(), name="api-webhook-rotate"),
    path(f"{_ONE}test/", webhook_api.EndpointTest.as_view(), name="api-webhook-test"),
    path(
        f"{_ONE}deliveries/",
        webhook_api.EndpointDeliveries.as_view(),
        name="api-webhook-deliveries",
    ),
    path(
        f"{_ONE}deliveries/<uuid:delivery_id>/replay/",
        webhook_api.DeliveryReplay.as_view(),
        name="api-webhook-replay",
    ),
]
