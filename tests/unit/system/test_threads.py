"""Products on one thread: the context alone decides, and only while it lasts."""

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from core.system.threads import one_blas_thread


def blas_threads() -> list[int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_numpy_multiplies_on_one_thread_and_then_as_before() -> None:
    """Threads that wait for one another: `analyze` burnt four times the time of its products."""
    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_threads()
        with one_blas_thread():
            inside = blas_threads()
        after = blas_threads()
    assert 2 in before
    assert set(inside) == {1}
    assert after == before
