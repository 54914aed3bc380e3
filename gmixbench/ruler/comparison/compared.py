"""Which metrics are compared. Light to import: the command line names them in its help."""

COMPARED = {
    "nuts": (
        "seconds_per_gradient",
        "ess_per_gradient",
        "ess_per_second",
        "draws_per_second",
        "warmup_s",
        "compile_s",
        "time_to_ess_1000",
        "import_s",
        "peak_memory",
    ),
    "advi": ("steps_per_second", "gap", "compile_s", "import_s", "peak_memory"),
}
"""Metrics that are judged, by kind of method, the telling ones first."""
