"""The benchmark: `python -m tests.bench.main`."""
