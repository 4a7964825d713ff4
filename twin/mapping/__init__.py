"""The mapping file: an existing plant's topics and payloads as our signals, row by row (docs/sensor-formats.md)."""
