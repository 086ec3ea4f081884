"""The clock of every measurement in Python: the wall's, or with run.py --cpu the
processor time of this process, which other programs disturb less."""

import os
import threading
import time
from collections.abc import Callable

from queries import written

THREADS = 8

clock = time.process_time_ns if "BENCH_CPU" in os.environ else time.perf_counter_ns


def by_threads(
    work: Callable[[Callable[[], object], list[str]], object], n: int
) -> int:
    """Nanoseconds in which THREADS threads do `work(ready, days)`, each with its part
    of the n days that are written; it calls ready() when it has prepared itself, and
    they begin together."""
    barrier = threading.Barrier(THREADS + 1)
    part = n // THREADS
    threads = [
        threading.Thread(target=work, args=(barrier.wait, written(part, part * i)))
        for i in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    barrier.wait()
    start = clock()
    for thread in threads:
        thread.join()
    return clock() - start
