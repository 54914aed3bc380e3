"""What gmixbench costs: the same case by gmixbench and by a bare script of the library.

Both run in fresh processes, interleaved in random order, on the same core with the same seed and
starting points, and both time what comes after warm-up by the library's own clocks where it has
them. Prints the ratio of draws per second, gmixbench over bare, with a bootstrap interval.

Run: python benchmarks/overhead.py [ROUNDS]
"""

import random
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from gmixbench.lab import datasets, environment
from gmixbench.lab.execute import job, run_case
from gmixbench.record import Run
from gmixbench.ruler.score import score
from gmixbench.spec import MODELS, Case, NutsSettings
from gmixbench.truth import density
from gmixbench.truth.exact import Exact
from gmixbench.truth.solve import solve

SETTINGS = NutsSettings(chains=1, warmup=1000, draws=20_000)

BARE = {
    "pymc": """
import sys, numpy as np, pymc as pm
x, start = np.load(sys.argv[1]), np.load(sys.argv[2])
with pm.Model():
    means = pm.Normal("means", np.float64(0), np.float64(10), shape=2,
                      transform=pm.distributions.transforms.ordered, initval=[-1.0, 1.0])
    pm.NormalMixture("obs", np.array([0.5, 0.5]), mu=means, sigma=np.float64(1), observed=x)
    trace = pm.sample(draws=20000, tune=1000, chains=1, cores=1, nuts_sampler="pymc",
                      init="adapt_diag", initvals=[{"means": start}], target_accept=0.95,
                      random_seed=0, progressbar=False, compute_convergence_checks=False)
stats = trace["sample_stats"]
begun, took = stats["perf_counter_start"].values[0], stats["perf_counter_diff"].values[0]
print(20000 / (begun[-1] + took[-1] - begun[0]))
""",
    "numpyro": """
import sys, time, jax, numpy as np, numpyro, numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS
x, start = np.load(sys.argv[1]), np.load(sys.argv[2])
def model():
    means = numpyro.sample("means", dist.ImproperUniform(dist.constraints.ordered_vector, (), (2,)))
    numpyro.factor("prior", dist.Normal(0.0, 10.0).log_prob(means).sum())
    components = dist.Normal(means, 1.0)
    weights = dist.Categorical(probs=np.array([0.5, 0.5]))
    numpyro.sample("obs", dist.MixtureSameFamily(weights, components), obs=x)
mcmc = MCMC(NUTS(model, target_accept_prob=0.95), num_warmup=1000, num_samples=20000,
            progress_bar=False)
point = np.array([start[0], np.log(start[1] - start[0])])
mcmc.warmup(jax.random.PRNGKey(0), init_params={"means": point})
run = lambda state: (setattr(mcmc, "post_warmup_state", state), mcmc.run(state.rng_key),
                     mcmc.get_samples()["means"])[-1]
state = mcmc.post_warmup_state
compiled = jax.jit(run).lower(state).compile()
begun = time.perf_counter()
jax.block_until_ready(compiled(state))
print(20000 / (time.perf_counter() - begun))
""",
}
"""The bare scripts: nothing of gmixbench in them.

A plain second `run` of NumPyro compiles again, so its script compiles ahead of time too.
"""


def main(rounds: int) -> None:
    """Print one row for each library."""
    exact = solve(datasets.load("close").x, MODELS["ordered"])
    table = Table("backend", "gmixbench, draws/s", "bare, draws/s", "ratio", "95 %")
    for backend in BARE:
        pairs = np.array(
            [
                measure(backend, exact, k)
                for k in track(range(rounds), f"{backend}: {rounds} rounds", transient=True)
            ]
        )
        ratios = np.log(pairs[:, 0] / pairs[:, 1])
        rng = np.random.default_rng(0)
        means = [np.median(rng.choice(ratios, rounds)) for _ in range(2000)]
        low, high = np.exp(np.quantile(means, [0.025, 0.975]))
        table.add_row(
            backend,
            *(f"{value:,.0f}" for value in np.median(pairs, axis=0)),
            f"{np.exp(np.median(ratios)):.3f}",
            f"{low:.3f} to {high:.3f}",
        )
    Console().print(table)


def measure(backend: str, exact: Exact, k: int) -> tuple[float, float]:
    """Draws per second by gmixbench and by the bare script, in random order."""
    work = job(Case("close", MODELS["ordered"], backend, "nuts", SETTINGS), exact)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)

        def ours() -> float:
            run = run_case(work, out, timeout=600)
            if not isinstance(run, Run):
                raise SystemExit(run.message)
            return score(run, exact).metrics["draws_per_second"] or 0.0

        def bare() -> float:
            np.save(out / "x.npy", work.x)
            np.save(out / "start.npy", density.constrain(work.case.model, work.starts)[0])
            scratch = out / "bare"
            scratch.mkdir(exist_ok=True)
            core = environment.measured(scratch).get("GMIXBENCH_CORE")
            pin = ["taskset", "-c", core] if core and sys.platform == "linux" else []
            command = [*pin, sys.executable, "-c", BARE[backend]]
            done = subprocess.run(
                [*command, str(out / "x.npy"), str(out / "start.npy")],
                env=environment.measured(scratch),
                capture_output=True,
                text=True,
                check=True,
            )
            return float(done.stdout.split()[-1])

        if random.Random(k).random() < 0.5:  # noqa: S311  # an order, not a secret
            first = ours()
            return first, bare()
        second = bare()
        return ours(), second


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
