from django.urls import path

from provenance.verify.verify_api import ConsistencyView, VerifyView

urlpatterns = [
    path("verify/", VerifyView.as_view(), name="api-verify"),
    path(
        "log/consistency/<int:old_size>/<int:size>/",
        ConsistencyView.as_view(),
        name="api-log-consistency",
    ),
]
