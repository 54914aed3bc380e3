"""The exact answer: the written density, the posterior, the best mean-field normal."""
