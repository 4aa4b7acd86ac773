"""`python -m tests.mutation` breaks one place of `app/bandits` at a time and asks whether a test fails."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: no threads in a process that forks
