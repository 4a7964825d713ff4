"""Learned models on matrices with named columns: detectors, early warning, diagnosis, their files and their scores.

    matrix = Matrix(columns, values, time_ns, group)          # NaN = missing
    detector = fit("pca", matrix, clean, seed=7)              # a row of models.detectors.DETECTORS
    state, scores = detector.score(detector.start(), matrix)  # higher = stranger, NaN while warming up
    flagged = scores > detector.limit
    causes = detector.explain(detector.start(), matrix)       # (rows, columns)
    save(path, detector, metadata); detector, metadata = load(path, columns=matrix.columns)

This package knows columns, rows, times and groups; what a group or a column stands for is the caller's business.
Every error that it raises on purpose is a `models.errors.ModelError`.
"""
