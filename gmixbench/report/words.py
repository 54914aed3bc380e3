"""The words of the page: what each figure asks, how it is read, and what a run answers."""

import math
from collections.abc import Callable, Mapping, Sequence

from gmixbench.report.html import Caption
from gmixbench.report.numbers import fixed, listing, number, percent
from gmixbench.report.panel import Panel, is_nuts
from gmixbench.ruler.verdict import CONVERGED, Judged
from gmixbench.spec import Mixture


def caption(figure: str, panels: Sequence[Panel]) -> Caption:
    """Caption of a figure by its name in `QUESTIONS`."""
    question, guide, answer = QUESTIONS[figure]
    model = panels[0].model
    # A general mixture is judged by a reference: nothing of it is exactly known.
    word = "exact" if model.spread is None else "reference"
    return Caption(
        question(model),
        guide(model).replace("exact", word),
        tuple((panel.name, answer(panel)) for panel in panels),
    )


def _trace(panel: Panel) -> str:
    if panel.model.ordered:
        rhat = panel.shown("rhat")
        if rhat is None:
            return _unjudged(panel)
        return f"{'yes' if panel.valid and rhat < 1.01 else 'no'}; R-hat {fixed(rhat, 3)}."
    spent = listing([percent(share) for share in panel.occupancy])
    word = {
        "mixed": "yes, labels mixed",
        "stuck": "no, labels stuck",
        "undecided": "not enough to tell",
        None: "not judged",
    }[panel.judged.verdict.labels]
    switches = panel.shown("mode_switches")
    rate = "" if switches is None else f", {number(switches)} switches per 1,000 draws"
    return f"{word}; time with mean 1 < mean 2 by chain: {spent}{rate}."


def _joint(panel: Panel) -> str:
    bias = panel.shown("bias_z")
    if not panel.valid:
        return f"not to be trusted: {_reasons(panel)}."
    least = "" if bias is None else f"; largest label-invariant error {number(bias)} MCSE"
    if panel.model.ordered:
        return f"yes{least}."
    off = panel.shown("occupancy_error")
    if off is None:
        return f"within a mode, yes{least}."
    return (
        f"within a mode, yes{least}; the worst chain's share of a mode is off by {fixed(off, 2)}."
    )


def _autocorrelation(panel: Panel) -> str:
    bulk, tail = panel.shown("ess_bulk"), panel.shown("ess_tail")
    chains, draws = panel.draws.means.shape[:2]
    if bulk is None or tail is None:
        return _unjudged(panel)
    total = chains * draws
    each = f", one in {number(total / min(bulk, tail))}" if min(bulk, tail) > 0 else ""
    return f"{total:,} draws are worth {number(min(bulk, tail))} independent ones{each}."


def _ranks(panel: Panel) -> str:
    labelled, sorted_ = panel.shown("rhat"), panel.shown("rhat_relabelled")
    if labelled is None or sorted_ is None:
        return _unjudged(panel)
    if panel.model.ordered:
        return f"{'no' if labelled < 1.01 else 'yes'}; R-hat {fixed(labelled, 3)}."
    by_label = "no" if labelled < 1.01 else "yes"
    return (
        f"by label, {by_label} (R-hat {fixed(labelled, 3)}); relabelled, "
        f"{'no' if sorted_ < 1.01 else 'yes'} (R-hat {fixed(sorted_, 3)})."
    )


def _agreement(panel: Panel) -> str:
    labelled, sorted_ = panel.shown("rhat"), panel.shown("rhat_relabelled")
    if labelled is None or sorted_ is None:
        return _unjudged(panel)
    if not panel.valid:
        return f"invalid: {_reasons(panel)}."
    if panel.model.ordered:
        return f"{'yes' if labelled < 1.01 else 'no'}; R-hat {fixed(labelled, 3)}."
    if sorted_ >= 1.01:
        return "bad mixing: the chains disagree even when relabelled."
    if panel.judged.verdict.labels == "stuck":
        hidden = labelled < 1.01
        return "label switching only" + (
            ", and R-hat does not see it: all chains sat in one mode." if hidden else "."
        )
    if labelled >= 1.01:
        return "label switching only: relabelled, the chains agree."
    return "neither: the chains agree."


def _loss(panel: Panel) -> str:
    gap = panel.shown("gap")
    if gap is None or not panel.valid:
        return f"invalid: {_reasons(panel)}."
    word = {True: "yes", False: "no", None: "not judged"}[panel.judged.verdict.converged]
    first = panel.shown("steps_to_converge")
    settled = "" if first is None else f"; the running mean settled at step {number(first)}"
    return f"{word}, {fixed(gap, 4)} nats above the best normal of its family{settled}."


def _fits(panel: Panel) -> str:
    gap, k = panel.shown("gap"), panel.shown("pareto_k")
    if gap is None or not panel.valid:
        return f"invalid: {_reasons(panel)}."
    told = "" if k is None else f"; Pareto k {fixed(k, 2)}"
    mass = panel.shown("mode_mass")
    if mass is not None:
        told += f"; {percent(mass)} of its mass in one mode, {percent(1 - mass)} in the other"
    return f"{fixed(gap, 4)} nats above the best {panel.family} normal{told}."


def _approximation(panel: Panel) -> str:
    kl = panel.shown("kl")
    if kl is None or not panel.valid:
        return f"invalid: {_reasons(panel)}."
    least = "" if panel.model.ordered else f" (one mode of two costs log 2 = {math.log(2):.3f})"
    return f"Kullback-Leibler divergence {fixed(kl, 3)} nats{least}."


def _reasons(panel: Panel) -> str:
    reasons = panel.judged.verdict.reasons
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return reasons[0] + more if reasons else "no reason given"


def _unjudged(panel: Panel) -> str:
    return f"not judged ({_reasons(panel)})."


def _same(text: str) -> Callable[[Mixture], str]:
    return lambda _: text


def _by_model(unordered: str, ordered: str) -> Callable[[Mixture], str]:
    return lambda model: ordered if model.ordered else unordered


_OWED = (
    "Each fit's exact loss above the best normal of its own family (below 0.05 nats ADVI has "
    "converged; Laplace and Pathfinder do not look for that normal, so they owe a gap), its KL "
    "divergence from the posterior"
)

QUESTIONS: Mapping[
    str, tuple[Callable[[Mixture], str], Callable[[Mixture], str], Callable[[Panel], str]]
] = {
    "trace": (
        _by_model(
            "Did every chain visit both modes?", "Do all chains wander over the same, right values?"
        ),
        _by_model(
            "Chains stand end to end; the percentage is each chain's time with mean 1 < mean 2, "
            "exactly one half in the posterior. A chain that crosses jumps between the dotted "
            "lines; one that never does is stuck. To the right, each chain's density over the "
            "exact marginal in grey.",
            "Chains stand end to end; the dotted line is the exact mean. To the right, each "
            "chain's density over the exact marginal in grey: they should lie on each other.",
        ),
        _trace,
    ),
    "joint": (
        _same("Do the draws have the shape, place and weight of the exact posterior?"),
        _same(
            "Grey steps are the exact density, half a decade apart; the lines are the draws at the "
            "same levels, so each should follow the edge of a grey step. Levels that one or two "
            "draws would decide are left out."
        ),
        _joint,
    ),
    "autocorrelation": (
        _same("How many draws until a chain has forgotten where it was?"),
        _by_model(
            "About its own mean even a stuck chain forgets fast. The dashed line takes the exact "
            "mean and variance instead: where labels are stuck it never comes down.",
            "The sooner a line meets zero, the more each draw is worth. The dashed line takes the "
            "exact mean and variance; it should lie among the others.",
        ),
        _autocorrelation,
    ),
    "ranks": (
        _same("Could one tell the chains apart?"),
        _by_model(
            "All draws ranked together, counted by chain: alike chains are level at 1. Above with "
            "labels, below after sorting the two means of each draw.",
            "All draws ranked together, counted by chain: alike chains are level at 1.",
        ),
        _ranks,
    ),
    "agreement": (
        _by_model(
            "Is it label switching or bad mixing, and what did it cost?",
            "Do the chains agree, and what did it cost?",
        ),
        _by_model(
            "R-hat far above 1 with labels and near 1 without them is label switching alone. ESS "
            "is the least over label-invariant quantities; only a valid run shows its speed.",
            "ESS is the least over the quantities judged; only a valid run shows its speed.",
        ),
        _agreement,
    ),
    "fits": (
        _same("Which normal is nearest to the posterior, and could its draws be put right?"),
        _by_model(
            f"{_OWED}, the Pareto k of its draws' importance ratios (above 0.7 of no use), and how "
            "much of it lies in one mode, exactly one half. A fit of one mode has a KL "
            "divergence of log 2 at the least, and its Pareto k does not see the mode that no draw "
            "is in.",
            f"{_OWED}, and the Pareto k of its draws' importance ratios: above 0.7 they are of no "
            "use.",
        ),
        _fits,
    ),
    "loss": (
        _same("Has the optimization settled, and how near to the best it could do?"),
        _same(
            "Dashed: the best normal of its family, the floor of every fit. Dotted: minus the log "
            "evidence, the loss of the exact posterior. Single steps are noisy and may lie below "
            "both; their expectation can't. The first descent may be above the view. "
            "Each panel has its own scale."
        ),
        _loss,
    ),
    "approximation": (
        _same("What does a normal make of this posterior?"),
        _by_model(
            "Draws from each approximation over the exact posterior in grey, as above. Fitted to "
            "two mirror-image modes it settles on one of them.",
            "Draws from each approximation over the exact posterior in grey, as above. Mean-field "
            "normals are independent in mean 1 and log(mean 2 − mean 1), so in the means they lean "
            "along the diagonal, whether the posterior does or not.",
        ),
        _approximation,
    ),
}
"""By figure: its question, how to read it, and what a run answers."""


def headline(results: Sequence[Judged], failed: int) -> tuple[str, ...]:
    """What the page says in a few sentences, the most important first."""
    valid = sum(judged.verdict.valid for judged in results)
    cases = len(results) + failed
    first = f"{cases} {'case' if cases == 1 else 'cases'}: {valid} valid"
    first += f", {len(results) - valid} invalid" if valid < len(results) else ""
    first += f", {failed} failed" if failed else ""
    free = [j for j in results if is_nuts(j) and not j.run.case.model.ordered]
    stuck = sum(judged.verdict.labels == "stuck" for judged in free)
    missed = sum(judged.verdict.converged is False for judged in results)
    first += f"; labels stuck in {stuck}" if stuck else ""
    first += f"; ADVI not converged in {missed}" if missed else ""
    sentences = [first + "."]
    for word, tail in (
        ("stuck", "some chain never changed modes"),
        ("undecided", "chains crossed, but their time in each mode is not shown to be right"),
        ("mixed", "every chain divided its time as the exact posterior does"),
    ):
        found = [j for j in free if j.verdict.labels == word]
        if found:
            names = dict.fromkeys(f"{j.run.case.backend} on {j.run.case.dataset}" for j in found)
            sentences.append(
                f"Labels {word} in {len(found)} of {len(free)} unordered NUTS runs "
                f"({listing(list(names))}): {tail}."
            )
    if any(j.verdict.valid and j.verdict.labels != "mixed" for j in free):
        sentences.append(
            "ESS and ESS/s are of the smaller mean, the larger mean and the log density, which "
            "label switching does not touch; so they stand beside any R-hat of the labelled means."
        )
    fits = [judged for judged in results if judged.verdict.converged is not None]
    if fits:
        settled = sum(judged.verdict.converged is True for judged in fits)
        sentences.append(
            f"ADVI came within {CONVERGED} nats of the best normal of its family in {settled} of "
            f"{len(fits)} fits."
        )
    return tuple(sentences)
