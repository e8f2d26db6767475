"""What can go wrong between a program and the API.

    ClientError
    ├── ApiUnreachable     nobody listens there, the connection was cut, or no answer came in time
    ├── UnexpectedAnswer   an answer that is not one of Stemcrate's API
    ├── ApiError           the API refused the request; `ApiError.problem` says why
    ├── CorruptDownload    the bytes that arrived are not those that the API announced
    └── WaitTimeout        a job has not ended in the time given

A path that cannot be read or written raises `OSError` as usual.
"""

from stemcrate.schemas.problem import Problem, ProblemItem


class ClientError(Exception):
    """Root of the errors of this package.

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
    """Something answered that is not Stemcrate's API, or one of another version."""

    code = "unexpected_answer"


class CorruptDownload(ClientError):
    """A file arrived with another length or another SHA-256 than announced."""

    code = "corrupt_download"


class WaitTimeout(ClientError):
    """A job goes on, but the time given for it is over."""

    code = "wait_timeout"


class ApiError(ClientError):
    """The API refused a request.

    Attributes
    ----------
    problem : the whole answer: status, code, detail, hint, field, retryable, errors.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail, problem.hint)
        self.problem = problem
        self.code = problem.code

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    @property
    def field(self) -> str | None:
        """The option or form field at fault, if it is one alone."""
        return self.problem.field

    @property
    def files(self) -> list[ProblemItem]:
        """The uploaded files at fault, each with its name, code, detail and hint."""
        return [item for item in self.problem.errors or () if item.file]
