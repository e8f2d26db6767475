"""How many threads a product of matrices takes: one, where several recordings run side by side."""

from contextlib import AbstractContextManager

from threadpoolctl import threadpool_limits


def one_blas_thread() -> AbstractContextManager[object]:
    """Let NumPy multiply on one thread while the context lasts.

    Our products are small: more threads wait for one another, and burn the time of the processes
    beside them (two processes on two cores took 2.6 times as long).
    """
    limits: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="blas")
    return limits
