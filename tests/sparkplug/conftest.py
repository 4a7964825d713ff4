"""What of this folder is no test."""

collect_ignore = ["edge.py"]  # runs with libraries of its own
