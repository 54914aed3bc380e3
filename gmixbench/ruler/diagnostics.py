"""R-hat, ESS, MCSE, E-BFMI and Pareto k of draws: ArviZ's, on plain arrays.

Their shape is (chains, draws) unless something else is said.
"""

import math

import numpy as np

from gmixbench.ruler.arviz import array_stats


def rhat(draws: np.ndarray) -> float:
    """Rank-normalized split R-hat (Vehtari et al. 2021)."""
    return float(array_stats().rhat(draws, method="rank"))


def ess_bulk(draws: np.ndarray) -> float:
    """Effective sample size of the rank-normalized draws (Vehtari et al. 2021)."""
    return float(array_stats().ess(draws, method="bulk"))


def ess_tail(draws: np.ndarray) -> float:
    """Least effective sample size of the 5 % and 95 % quantiles (Vehtari et al. 2021)."""
    return float(array_stats().ess(draws, method="tail", prob=(0.05, 0.95)))


def ess_mean(draws: np.ndarray) -> float:
    """Effective sample size of the mean, without rank normalization."""
    return float(array_stats().ess(draws, method="mean"))


def mcse_mean(draws: np.ndarray) -> float:
    """Monte Carlo standard error of the mean."""
    return float(array_stats().mcse(draws, method="mean"))


def mcse_sd(draws: np.ndarray) -> float:
    """Monte Carlo standard error of the standard deviation."""
    return float(array_stats().mcse(draws, method="sd"))


def mcse_quantile(draws: np.ndarray, probability: float) -> float:
    """Monte Carlo standard error of a quantile."""
    return float(array_stats().mcse(draws, method="quantile", prob=probability))


def ebfmi(energy: np.ndarray) -> float:
    """Least E-BFMI of any chain (Betancourt 2016)."""
    return float(np.min(array_stats().bfmi(energy)))


def pareto_k(log_ratios: np.ndarray) -> float:
    """Shape of the right tail of importance ratios (Vehtari et al. 2024, PSIS), shape (draws,).

    Of log p - log q at draws of a fit: above 0.7 they are of no use (Yao et al. 2018). NaN where
    there is no tail.
    """
    try:
        return float(array_stats().psislw(-log_ratios)[1])
    except ValueError:  # fewer than 25 draws, or ratios all alike
        return math.nan
