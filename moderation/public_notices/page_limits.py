"""How often one network may open public notices, and appeal from them."""

from django.http import HttpRequest

from config.core.api.throttles import RateThrottle
from config.core.errors import ProofsheetError


class TooManyNoticesOpened(ProofsheetError):
    """More pages within a minute, or appeals within an hour, than one network may."""

    default_code = "too_many_notices_opened"
    default_message = "Too many notices were opened from your network within a short time."
    default_advice = "Wait a minute and open the address again; it stays valid."
    default_status = 429
    retry_after_s = 60


class TooManyAppeals(TooManyNoticesOpened):
    default_code = "too_many_appeals"
    default_message = "Too many appeals came from your network within an hour."
    default_advice = "Wait an hour and appeal again; there are six months for it."
    retry_after_s = 3600


class _Opened(RateThrottle):
    scope, rate = "public-notices", "120/min"

    def get_cache_key(self, request: HttpRequest, view: object) -> str:
        ident = self.get_ident(request)  # type: ignore[arg-type] # reads META only
        return str(self.cache_format % {"scope": self.scope, "ident": ident})


class _Appealed(_Opened):
    scope, rate = "public-appeals", "30/hour"


def count_opened(request: HttpRequest) -> None:
    """Raises TooManyNoticesOpened."""
    if not _Opened().allow_request(request, None):  # type: ignore[arg-type] # reads META only
        raise TooManyNoticesOpened


def count_appeal(request: HttpRequest) -> None:
    """Raises TooManyAppeals."""
    if not _Appealed().allow_request(request, None):  # type: ignore[arg-type] # reads META only
        raise TooManyAppeals
