"""What PyMC compiles a log density with if nothing is asked for."""

import pymc as pm

with pm.Model() as model:
    pm.Normal("m", 0, 1)
function = model.compile_logp().f
print(pm.__version__, type(function.maker.linker).__name__, type(function.vm).__name__)
