"""Limits BLAS to one thread where several recordings are processed side by side."""

from contextlib import AbstractContextManager

from threadpoolctl import threadpool_limits


def one_blas_thread() -> AbstractContextManager[object]:
    """Limit BLAS to one thread inside the context; libraries loaded later do not obey.

    Our matrix products are small: more threads spin while they wait, which slows the processes
    beside them (two processes on two cores took 2.6 times as long).
    """
    limits: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="blas")
    return limits
