"""The clock of every measurement in Python: the wall's, or with run.py --cpu the
processor time of this process, which other programs disturb less."""

import os
import time

clock = time.process_time_ns if "BENCH_CPU" in os.environ else time.perf_counter_ns
