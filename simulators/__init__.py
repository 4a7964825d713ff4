"""Potlines finer than the twin's own model, with labelled faults, observed as by real sensors.

    plant = twin.plant.parse(text, "where")
    site, line = next(plant.lines())
    causes = scenarios.schedule(scenarios.load("normal-week"), line, "normal-week", seed=7)   # or ()
    potline = Potline.of(plant, line, site.id, seed=7, start_ns=time.time_ns(), cause_schedule=causes)
    sensors = Sensors(potline, seed=7)
    while True:
        potline.step(1.0)                  # 1 s; or a whole part of 5 s
        if potline.steps % period == 0:    # the line's sample period
            said = sensors.observe()       # Observation, rim units and names of twin.signals
            truth = potline.truth()        # (pots,) arrays; keep it elsewhere
            labels = potline.causes.active()   # what is wrong now, by plan or by itself, and the faults it should raise

`said.telemetry[name]` is an array (pots,) in the order of `line.pot_ids()`; NaN = that reading is missing.
`said.pot_time_ns` is the source time each pot's own clock gives; `said.line` the line's readings; `said.events` and
`said.samples` what was reported since the last `observe` (samples only once they are available, hours late).
The publisher shall send a message twice where `said.duplicated`, later by `said.delay_s` (that makes it out of
order), and keep back or lose messages where `said.offline`. One potline is one line: make one per line of a plant.
Same plant, seed, start and schedule: bit-equal output; `copy` and `pickle` of a potline are checkpoints.

A new fault is a row in `causes`; a new scenario a TOML file in `scenarios/`; the model, and the figures of a line
beside their published ranges: docs/simulator.md, `python -m simulators.figures PLANT.toml`. With `potline.audit =
True`, `potline.balance()` gives the relative residuals of alumina, AlF3, metal, carbon and energy of the last step.
"""
