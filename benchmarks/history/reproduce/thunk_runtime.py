"""jaxlib 0.4.32 and later: XLA's new CPU runtime makes small models several times slower.

Run it as it is, and with XLA_FLAGS=--xla_cpu_use_thunk_runtime=false, which XLA heeded for a year.
"""

import time

import jax
import numpyro
from numpyro.infer import NUTS

kernel = NUTS(lambda: numpyro.sample("m", numpyro.distributions.Normal(0, 1).expand([2])))
state = kernel.init(jax.random.PRNGKey(0), 0, None, (), {})


def draw(_, carry):
    state, steps = carry
    state = kernel.sample(state, (), {})
    return state, steps + state.num_steps


sample = jax.jit(lambda state: jax.lax.fori_loop(0, 50_000, draw, (state, 0)))
jax.block_until_ready(sample(state))
begun = time.perf_counter()
_, steps = jax.block_until_ready(sample(state))
took = (time.perf_counter() - begun) / steps * 1e6
print(numpyro.__version__, jax.__version__, f"{took:.2f} microseconds a leapfrog step")
