"""R-hat, ESS, MCSE and E-BFMI of draws: ArviZ's, on plain arrays of shape (chains, draws)."""

import numpy as np
from arviz_stats.base import array_stats


def rhat(draws: np.ndarray) -> float:
    """Rank-normalized split R-hat (Vehtari et al. 2021)."""
    return float(array_stats.rhat(draws, method="rank"))


def ess_bulk(draws: np.ndarray) -> float:
    """Effective sample size of the rank-normalized draws (Vehtari et al. 2021)."""
    return float(array_stats.ess(draws, method="bulk"))


def ess_tail(draws: np.ndarray) -> float:
    """Least effective sample size of the 5 % and 95 % quantiles (Vehtari et al. 2021)."""
    return float(array_stats.ess(draws, method="tail", prob=(0.05, 0.95)))


def ess_mean(draws: np.ndarray) -> float:
    """Effective sample size of the mean, without rank normalization."""
    return float(array_stats.ess(draws, method="mean"))


def mcse_mean(draws: np.ndarray) -> float:
    """Monte Carlo standard error of the mean."""
    return float(array_stats.mcse(draws, method="mean"))


def mcse_sd(draws: np.ndarray) -> float:
    """Monte Carlo standard error of the standard deviation."""
    return float(array_stats.mcse(draws, method="sd"))


def mcse_quantile(draws: np.ndarray, probability: float) -> float:
    """Monte Carlo standard error of a quantile."""
    return float(array_stats.mcse(draws, method="quantile", prob=probability))


def ebfmi(energy: np.ndarray) -> float:
    """Least E-BFMI of any chain (Betancourt 2016)."""
    return float(np.min(array_stats.bfmi(energy)))
