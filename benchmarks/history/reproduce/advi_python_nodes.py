"""PyMC 4.0 and 4.1: parts of an ADVI step have no C code, and run in Python."""

import pymc as pm

with pm.Model():
    pm.Normal("m", 0, 1, shape=2)
    step = pm.ADVI(random_seed=1).objective.step_function(obj_optimizer=pm.adam())
machine = getattr(step, "vm", None) or step.fn  # its name until, and since, Aesara 2.8
nodes = zip(machine.nodes, machine.thunks, strict=True)
python = [type(node.op).__name__ for node, thunk in nodes if not hasattr(thunk, "cthunk")]
print(pm.__version__, len(machine.nodes), "nodes, in Python:", ", ".join(python) or "none")
