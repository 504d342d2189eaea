"""The one exception root of Proofsheet; it lives in the lowest room so that every room can subclass
it.
"""

from typing import Any, ClassVar


class ProofsheetError(Exception):
    """A condition that a user can be told about.

    Subclasses name the condition and set the class attributes; a call may replace the sentences
    where it knows more.
    `code` is stable and machine readable, `message` says what happened, `advice` what to do,
    `status` is the HTTP status, `members` is what else programs are told, by name.
    """

    default_code: ClassVar[str] = "error"
    default_message: ClassVar[str] = "Something went wrong."
    default_advice: ClassVar[str] = "Try again; if it happens again, tell the operator."
    default_status: ClassVar[int] = 400

    def __init__(
        self,
        code: str | None = None,
        message: str | None = None,
        advice: str | None = None,
        status: int | None = None,
    ) -> None:
        self.code = code or self.default_code
        self.message = message or self.default_message
        self.advice = advice if advice is not None else self.default_advice
        self.status = status or self.default_status
        self.members: dict[str, Any] = {}
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()
