"""smelter-twin: telemetry, energy accounting and status of aluminium potlines."""
