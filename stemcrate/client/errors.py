"""Errors of the client.

    ClientError
    ├── ApiUnreachable     no listener, a cut connection, or a timeout
    ├── UnexpectedAnswer   an answer that is not from Stemcrate's API
    ├── ApiError           the API refused the request; `ApiError.problem` says why
    ├── CorruptDownload    length or SHA-256 differ from the announced ones
    └── WaitTimeout        a job has not ended in time

A path that cannot be read or written raises `OSError` as usual.
"""

from stemcrate.schemas.problem import Problem, ProblemItem


class ClientError(Exception):
    """Root of this package's errors.

    Attributes
    ----------
    code : stable word for programs.
    message : a sentence for people.
    hint : what to do about it; may be empty.
    """

    code = "client_error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ApiUnreachable(ClientError):
    """The API did not answer."""

    code = "api_unreachable"


class UnexpectedAnswer(ClientError):
    """The answer is not from Stemcrate's API, or from another version."""

    code = "unexpected_answer"


class CorruptDownload(ClientError):
    """A file's length or SHA-256 differs from the announced one."""

    code = "corrupt_download"


class WaitTimeout(ClientError):
    """A job has not ended in time; it continues."""

    code = "wait_timeout"


class ApiError(ClientError):
    """The API refused a request.

    Attributes
    ----------
    problem : the whole answer: status, code, detail, hint, field, retryable, errors.
    retry_after_s : when to try again, as the API says (``Retry-After``); None if it does not.
    """

    def __init__(self, problem: Problem, retry_after_s: int | None = None) -> None:
        super().__init__(problem.detail, problem.hint)
        self.problem = problem
        self.retry_after_s = retry_after_s
        self.code = problem.code

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    @property
    def field(self) -> str | None:
        """The option or form field at fault, if it is a single one."""
        return self.problem.field

    @property
    def files(self) -> list[ProblemItem]:
        """The uploaded files at fault, each with its name, code, detail and hint."""
        return [item for item in self.problem.errors or () if item.file]
