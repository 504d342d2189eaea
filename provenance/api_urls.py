from django.urls import path

from provenance.api import VerifyView

urlpatterns = [path("verify/", VerifyView.as_view(), name="api-verify")]
