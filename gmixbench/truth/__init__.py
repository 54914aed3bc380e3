"""The exact answer: the written density, the posterior by quadrature, the best mean-field normal."""
