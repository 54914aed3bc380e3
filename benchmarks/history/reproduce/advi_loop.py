"""jaxlib 0.7.1: a step of `SVI.run` takes the longer, the more steps were asked for.

Run it as it is, and with XLA_FLAGS=--xla_cpu_use_fusion_emitters=false.
"""

import time

import jax
import numpyro
from numpyro.infer import SVI, Trace_ELBO
from numpyro.infer.autoguide import AutoNormal


def model():
    numpyro.sample("m", numpyro.distributions.Normal(0, 1).expand([2]).to_event(1))


svi = SVI(model, AutoNormal(model), numpyro.optim.Adam(0.01), Trace_ELBO())
state = svi.init(jax.random.PRNGKey(0))
for steps in (2_000, 20_000, 200_000):
    run = jax.jit(lambda state, n=steps: svi.run(None, n, progress_bar=False, init_state=state))
    jax.block_until_ready(run(state))
    begun = time.perf_counter()
    jax.block_until_ready(run(state))
    took = (time.perf_counter() - begun) / steps * 1e6
    print(numpyro.__version__, jax.__version__, f"{steps} steps, {took:.2f} microseconds each")
