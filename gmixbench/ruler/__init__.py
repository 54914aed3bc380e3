"""The ruler: metrics of a run, and what to make of them."""
