"""What a store of S3's protocol answers when something is wrong, as the house tells it.

The codes are AWS's own and those of MinIO and Ceph; to a `HEAD` they are the bare status, for such
an answer has no body.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from boto3.exceptions import Boto3Error
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    SSLError,
)

from config.core.content_files import ContentMissing
from config.core.disk_full import StorageFull
from config.core.storage import StorageAway, StorageRefused

_FULL = {
    *("QuotaExceeded", "InsufficientStorage", "InsufficientCapacity", "NoSpaceLeft", "507"),
    *("XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "TotalRequestsSizeExceeded"),
}
NO_BUCKET = "The storage of files has no bucket of the name that this house is set up with."
_KEY = "The storage of files does not know the key that this house is set up with."
_RIGHTS = "The storage of files does not allow this house's key what it needs."
_PLACE = "The house's bucket lies in another region, or at another address, than it is set up with."
_CLOCK = "The clock of this host is too far off for the storage of files."
_NO_KEY = "This house is set up with no key for the storage of files."
_SETTINGS = "The address or the bucket that this house is set up with cannot be one."
_CERTIFICATE = "The certificate of the storage of files is none that this host trusts."
_REFUSED = {
    "NoSuchBucket": NO_BUCKET,
    **dict.fromkeys(("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidClientTokenId"), _KEY),
    **dict.fromkeys(("ExpiredToken", "InvalidToken", "TokenRefreshRequired"), _KEY),
    **dict.fromkeys(("AccessDenied", "AllAccessDisabled", "AccountProblem"), _RIGHTS),
    **dict.fromkeys(("PermanentRedirect", "TemporaryRedirect", "301", "307"), _PLACE),
    **dict.fromkeys(("AuthorizationHeaderMalformed", "IllegalLocationConstraintException"), _PLACE),
    "RequestTimeTooSkewed": _CLOCK,
    "InvalidBucketName": _SETTINGS,
}
_REFUSING = {"400", "401", "403", "405", "501"}
_PASSES = {
    *("RequestTimeout", "IncompleteBody", "BadDigest", "InvalidDigest"),
    "XAmzContentSHA256Mismatch",
}
_ARCHIVED = "The storage has this file in an archive, from which it cannot be read at once."
_RESTORE = "Tell the operator: it has to be restored there, and the archive's rule to go."


class Unexplained(StorageRefused):
    """A refusal without a body, as `HEAD` gets it: another request is told why."""


@contextmanager
def told() -> Iterator[None]:
    """Raises FileNotFoundError, ContentMissing, StorageFull, StorageRefused; StorageAway for all
    that passes.
    """
    try:
        yield
    except ClientError as error:
        raise _meaning(error) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise StorageRefused(message=_NO_KEY) from error
    except ParamValidationError as error:
        raise no_storage() from error
    except SSLError as error:
        raise _meaning_of_tls(error) from error
    except RecursionError as error:  # boto3 asks where it is sent to by a call that is sent there
        raise StorageRefused(message=_PLACE) from error
    except (BotoCoreError, Boto3Error) as error:
        raise StorageAway from error


def no_bucket() -> StorageRefused:
    """What is told when the bucket itself is not found."""
    return StorageRefused(message=NO_BUCKET)


def no_storage() -> StorageRefused:
    """What is told of an address, or a bucket's name, that cannot be one."""
    return StorageRefused(message=_SETTINGS)


def _meaning_of_tls(error: BaseException) -> StorageAway:
    """A handshake that breaks off, as while a balancer starts again, says nothing of trust."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return StorageRefused(message=_CERTIFICATE)
    return _meaning_of_tls(cause) if cause else StorageAway()


def _meaning(error: ClientError) -> Exception:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
    if code in _FULL or status == "507":
        return StorageFull()
    if code in _REFUSED:
        return StorageRefused(message=_REFUSED[code])
    if code == "InvalidObjectState":
        return ContentMissing(message=_ARCHIVED, advice=_RESTORE)
    if status == "404":
        return FileNotFoundError(code)
    if status in _REFUSING and code not in _PASSES:
        return Unexplained() if code == status else StorageRefused()
    return StorageAway()
