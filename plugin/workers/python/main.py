"""A worker process: reads jobs from file descriptor 3 and answers on 4, one JSON text a line."""

import os
import sys

# The folder of this file leads to no module that steps should see.
sys.path[:] = [path for path in sys.path if os.path.abspath(path or ".") != os.path.dirname(os.path.abspath(__file__))]
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from nx_experiments.worker import Worker  # noqa: E402

sys.path.pop(0)

if __name__ == "__main__":
    Worker().serve()
