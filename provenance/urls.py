"""Public pages of the provenance room; none of them asks who is looking."""

from django.urls import path, re_path

from provenance.log import log_views
from provenance.soft_bindings import soft_binding_api
from provenance.verify import verify_views

app_name = "provenance"
NUMBER = r"(?P<number>(?:x[0-9]{3}/){0,4}[0-9]{3})"
WIDTH = r"(?:\.p/(?P<width>[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?"

urlpatterns = [
    path("verify/", verify_views.verify_page, name="verify"),
    path("verify/feedback/", verify_views.give_feedback, name="verify-feedback"),
    path("log/checkpoint", log_views.checkpoint, name="checkpoint"),
    path("log/keys", log_views.log_keys, name="log-keys"),
    re_path(rf"^log/tile/entries/{NUMBER}{WIDTH}$", log_views.entry_bundle, name="entry-bundle"),
    re_path(
        rf"^log/tile/(?P<level>[0-9]|[1-5][0-9]|6[0-3])/{NUMBER}{WIDTH}$",
        log_views.hash_tile,
        name="hash-tile",
    ),
    path("log/entry/<int:index>/", log_views.log_entry, name="log-entry"),
    path("sbr/matches/byBinding", soft_binding_api.ByBindingView.as_view(), name="sbr-by-binding"),
    path("sbr/matches/byContent", soft_binding_api.ByContentView.as_view(), name="sbr-by-content"),
    path(
        "sbr/manifests/<str:manifest_id>",
        soft_binding_api.ManifestView.as_view(),
        name="sbr-manifest",
    ),
    path(
        "sbr/services/supportedAlgorithms",
        soft_binding_api.SupportedAlgorithmsView.as_view(),
        name="sbr-supported-algorithms",
    ),
    path("log/proof/<uuid:asset_id>", log_views.asset_proof, name="asset-proof"),
]
