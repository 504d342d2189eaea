"""The provenance room's addresses below `/api/v1/`."""

from django.urls import path

from provenance.log.log_api import ConsistencyView
from provenance.verify.verify_api import VerifyView

urlpatterns = [
    path("verify/", VerifyView.as_view(), name="api-verify"),
    path(
        "log/consistency/<int:old_size>/<int:size>/",
        ConsistencyView.as_view(),
        name="api-log-consistency",
    ),
]
