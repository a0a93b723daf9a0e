"""Tests: `python3 -m unittest` from the project's root."""

import gc

# Thousands of small tables live on from test to test: the default thresholds would look through
# them all the time.
gc.set_threshold(200_000, 50, 100)
