"""GitHub's workflows and our action, read as data; and their scripts, run as they run them."""

import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
import yaml

from gmixbench.cli import app
from gmixbench.cli.gate import CODES
from gmixbench.lab.gate_files import read_side
from gmixbench.measured.backends import BACKENDS
from gmixbench.report.gate_junit import gate_junit
from gmixbench.report.gate_markdown import gate_markdown
from gmixbench.ruler.gate import judge
from gmixbench.spec import PROFILES

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTION = ROOT / "action.yml"
SCRIPTS = ROOT / "benchmarks" / "ci"

PIN = re.compile(r"uses: ([\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\./( #.*)?)")


def unpinned(text):
    """What runs other people's code that they may change."""
    return [
        f"not pinned to a commit and its version: {line.strip()}"
        for line in text.splitlines()
        if "uses:" in line and not PIN.fullmatch(line.strip().removeprefix("- "))
    ]


def faults(text):
    """All that is wrong with the text of a workflow."""
    flow = yaml.safe_load(text)
    found = unpinned(text)
    if "pull_request_target" in flow[True]:  # YAML 1.1 takes `on` for true
        found.append("pull_request_target hands secrets to the pull request's code")
    if flow.get("permissions") != {}:
        found.append("permissions are not empty at the top")
    if "concurrency" not in flow:
        found.append("no concurrency group")
    for name, job in flow["jobs"].items():
        found += [f"{name}: {each}" for each in job_faults(job)]
    return found


def job_faults(job):
    """All that is wrong with one job."""
    found = [f"no {key}" for key in ("permissions", "timeout-minutes") if key not in job]
    if job.get("permissions") in ("write-all", "read-all"):
        found.append("permissions for everything")
    writes = "write" in str(job.get("permissions"))
    for step in job["steps"]:
        command = step.get("run", "")
        if "${{" in command:
            found.append(f"an expression becomes code: {command}")
        if "actions/checkout@" in step.get("uses", "") and (
            step.get("with", {}).get("persist-credentials") is not False
        ):
            found.append("checkout leaves its token behind")
        if writes and re.search(r"\b(make|pip|uv|npx|pipx|gmixbench)\b", command):
            found.append(f"may write, and runs more than publish.py: {command}")
    return found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflow_has_no_faults(path):
    assert faults(path.read_text()) == []


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0", "@v5", "not pinned"),
        ("dd907a8 # v5.0.0", "dd907a8", "not pinned"),
        ("pull_request:", "pull_request_target:", "secrets"),
        ("permissions: {}", "permissions: {contents: write}", "not empty at the top"),
        ("concurrency:", "env:", "no concurrency"),
        ("timeout-minutes: 120", "continue-on-error: true", "no timeout-minutes"),
        ("contents: read", "contents: write", "may write"),
        ("persist-credentials: false", "persist-credentials: true", "leaves its token"),
        ("run: make setup", "run: echo ${{ github.head_ref }}", "becomes code"),
    ],
)
def test_planted_fault_is_found(before, after, fault):
    text = (ROOT / ".github" / "workflows" / "compare.yml").read_text()
    assert before in text
    assert any(fault in found for found in faults(text.replace(before, after)))


def test_one_version_of_each_action():
    texts = "".join(path.read_text() for path in [*WORKFLOWS, ACTION])
    pins = set(re.findall(r"uses: (\S+)@(\S+ # \S+)", texts))
    assert len(pins) == len({action for action, _ in pins}) == 4


def workflow(name):
    """A workflow as data."""
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text())


def commands():
    """Text of every `run:` of every workflow."""
    for path in WORKFLOWS:
        for job in workflow(path.stem)["jobs"].values():
            for step in job["steps"]:
                yield step.get("run", "")


def test_every_make_target_exists():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = set(re.findall(r"\bmake (?:-C \S+ )?([\w-]+)", "\n".join(commands())))
    assert {"setup", "test", "bench"} <= called <= targets


def test_every_command_of_ours_exists():
    known = typer.main.get_command(app).commands
    called = re.findall(r"^\S*bin/gmixbench ([a-z]\w*)", "\n".join(commands()), re.MULTILINE)
    assert {"gate"} <= {*called} <= {*known}


def test_every_script_exists_and_takes_its_arguments(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # `results` is not empty where `make bench` has been
    called = [
        match[1].replace("\\\n", " ").replace('"${GITHUB_RUN_NUMBER}00"', "100").split()
        for match in re.finditer(r"python3? (benchmarks/ci/(?:\\\n|.)+)", "\n".join(commands()))
    ]
    assert {words[0] for words in called} == {
        f"benchmarks/ci/{path.name}" for path in SCRIPTS.glob("*.py")
    }
    measuring = [words[1 : words.index("||")] for words in called if "--out" in words]
    assert len(measuring) == 2
    for words in measuring:
        plan, out, _ = load("interleave").asked("", words)
        assert plan.base.endswith("bin/gmixbench")
        assert plan.new.endswith("bin/gmixbench")
        assert out == Path("results")
        assert plan.arguments[-2] == "--profile"
        assert plan.arguments[-1] in PROFILES


def test_every_file_that_is_named_is_there():
    for path in workflow("compare")[True]["pull_request"]["paths"]:
        assert list(ROOT.glob(path)), path
    named = re.findall(r"ARGS=(tests/\S+)", "\n".join(commands()))
    assert named
    assert all((ROOT / path).is_file() for path in named)


def test_nightly_measures_releases_and_development_of_both_backends():
    rows = workflow("nightly")["jobs"]["measure"]["strategy"]["matrix"]["include"]
    assert {row["backend"] for row in rows} == {"pymc", "numpyro"} <= set(BACKENDS)
    for row in rows:
        package, _, kind = row["name"].partition("-")
        assert package == row["backend"]
        assert row["requirement"].startswith(package)
        assert ("git+https://" in row["requirement"]) == (kind == "development")


def load(name):
    """A script as a module, with the scripts beside it."""
    if str(SCRIPTS) not in sys.path:
        sys.path.insert(0, str(SCRIPTS))
    return importlib.import_module(name)


# What follows runs the scripts.

STUB = """\
import json, shutil, sys
from pathlib import Path

log, planted, answers, *words = sys.argv[1:]
slow, wrong, code = json.loads(planted)
with open(log, "a") as file:
    print(*words, file=file)
option = dict(zip(words, words[1:]))
if words[0] == "run":
    seed, out = int(option["--seed"]), Path(option["--out"])
    noise = 1 + 0.01 * ((7 * seed + len(out.parent.name)) % 3)
    row = {
        "dataset": "close", "model": "ordered", "backend": "pymc", "method": "nuts",
        "mixture": {"sigma": 1.0, "prior_mean": 0.0, "prior_scale": 10.0},
        "settings": {"draws": 1000}, "stack": "here", "seed": seed,
        "valid": seed not in wrong,
        "reasons": ["bias: mean of the larger mean is 9 MCSE off"] * (seed in wrong),
        "metrics": {
            "seconds_per_gradient": 1e-5 * noise * (1 + (seed in slow)), "ess_per_gradient": 0.1,
        },
    }
    machine = {"cpu": "a", "cores": "2", "platform": "b", "machine_id": "c"}
    scores = {"schema": 1, "environment": machine, "scores": [row], "failures": []}
    out.mkdir(parents=True)
    (out / "scores.json").write_text(json.dumps(scores))
    sys.exit(code)
if words[0] == "gate":
    texts = [path.read_text() for path in Path(words[2]).glob("*/scores.json")]
    rows = [json.loads(text)["scores"][0] for text in texts]
    times = [row["metrics"]["seconds_per_gradient"] for row in rows]
    kind = "slow" if min(times) > 1.5e-5 else "well"
    kind = kind if all(row["valid"] for row in rows) else "wrong"
    shutil.copy(f"{answers}/{kind}.md", option["--markdown"])
    shutil.copy(f"{answers}/{kind}.xml", option["--junit"])
    sys.exit(int(Path(answers, kind).read_text()))
"""
"""A `gmixbench` that is told what to measure, and repeats what the real gate said of the like."""

ALL = range(1000)


def stub(folder, name, slow=(), wrong=(), code=0):
    """Words that start a stub; `slow` and `wrong` are the seeds at which it is that."""
    path = folder / "stub.py"
    path.write_text(STUB)
    planted = json.dumps([list(slow), list(wrong), code])
    return [sys.executable, str(path), str(folder / f"{name}.log"), planted]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What the real gate says of sides that are as well as the other, slow, and wrong."""
    folder = tmp_path_factory.mktemp("answers")
    for kind, planted in {"well": {}, "slow": {"slow": ALL}, "wrong": {"wrong": (2,)}}.items():
        sides = folder / f"{kind}-base", folder / f"{kind}-new"
        for side, how in zip(sides, ({}, planted), strict=True):
            for seed in ("1", "2", "3"):
                words = ["run", "--seed", seed, "--out", str(side / seed)]
                subprocess.run([*stub(folder, kind, **how), str(folder), *words], check=True)
        outcome = judge(*map(read_side, sides))
        (folder / f"{kind}.md").write_text(gate_markdown(outcome))
        (folder / f"{kind}.xml").write_bytes(gate_junit(outcome))
        (folder / kind).write_text(str(CODES[outcome.verdict]))
    return folder


@pytest.fixture
def side(tmp_path, script, answers):
    """Make a `gmixbench` that is a stub; `gate` is words that judge in its place."""

    def make(name, gate="", **planted):
        words = shlex.join([*stub(tmp_path, name, **planted), str(answers)])
        other = f'[ "$1" = gate ] && exec {gate} "$@"\n' if gate else ""
        return str(script(tmp_path / name / "gmixbench", f'{other}exec {words} "$@"'))

    return make


@pytest.fixture
def run(tmp_path):
    """Run a script on two sides: exit code, what was printed, and its folder."""

    def call(name, base, new, *words):
        out = tmp_path / "out"
        done = subprocess.run(
            [sys.executable, SCRIPTS / f"{name}.py", base, new, "--out", out, *words],
            capture_output=True,
            text=True,
            check=False,
        )
        return SimpleNamespace(code=done.returncode, out=out, err=done.stderr, told=done.stdout)

    return call


def test_old_runs_are_not_judged_as_new(tmp_path):
    (tmp_path / "base").mkdir()
    done = subprocess.run(
        [sys.executable, SCRIPTS / "interleave.py", "true", "true", "--out", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "is not empty" in done.stderr


def test_order_is_stated_by_its_seed_and_each_round_has_both():
    order = load("interleave").order
    visits = order(20, seed=5)
    assert visits == order(20, seed=5)
    assert [seed for seed, _ in visits] == sorted([*range(5, 25)] * 2)
    firsts, seconds = ([side for _, side in visits[k::2]] for k in (0, 1))
    assert all({*both} == {"base", "new"} for both in zip(firsts, seconds, strict=True))
    assert firsts.count("base") == 10  # else what comes first would bear on one side
    assert firsts != [side for _, side in order(20, seed=6)[::2]]


def alarms(**codes):
    """Alarms by what they are about, as `nightly.alarms` reads them: 1 regressed, 3 invalid."""
    return {about: load("nightly").Alarm(code, "worse") for about, code in codes.items()}


@pytest.mark.parametrize(
    ("first", "second", "code", "about"),
    [
        ({"speed": 1}, {"speed": 1}, 1, ["speed"]),
        ({"speed": 1}, {}, None, []),
        ({"speed": 1}, {"gap": 1}, None, []),  # something else: chance, both times
        ({"speed": 1, "gap": 1}, {"gap": 1, "rhat": 1}, 1, ["gap"]),
        ({"new": 3}, {"new": 3}, 3, ["new"]),
        ({"new": 3}, {}, None, []),
        ({"new": 3}, {"base": 3}, None, []),
        ({"new": 3}, {"speed": 1}, None, []),
        ({"speed": 1, "new": 3}, {"new": 3}, 3, ["new"]),
        ({"speed": 1, "new": 3}, {"speed": 1, "new": 3}, 1, ["speed", "new"]),
    ],
)
def test_only_what_two_runs_agree_on_is_confirmed(first, second, code, about):
    finding = load("nightly").confirmed(alarms(**first), alarms(**second))
    assert (finding and finding.code) == code
    if finding:
        assert finding.first == finding.second == [f"{name}: worse" for name in about]


@pytest.mark.parametrize(("code", "found"), [("3", {"everything": 3}), ("4", {})])
def test_gate_that_judged_nothing_is_an_alarm_about_everything(tmp_path, code, found):
    said = "<testsuites><testsuite><system-out>worse</system-out></testsuite></testsuites>"
    (tmp_path / "verdict.xml").write_text(said)
    (tmp_path / "code").write_text(code)
    assert load("nightly").alarms(tmp_path) == alarms(**found)


def bash(text, folder, **variables):
    """Run a step's script as GitHub does."""
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)


def test_nights_differ_and_a_night_that_is_run_again_does_not(tmp_path, script, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (text,) = (command for command in commands() if "nightly.py" in command)
    script(tmp_path / ".venv" / "bin" / "python", 'shift; for word; do echo "$word"; done')

    def seeds(number):
        said = bash(text, tmp_path, GITHUB_RUN_NUMBER=str(number), BACKEND="pymc").out
        plan, _, seed = load("interleave").asked("", said.splitlines())
        assert plan.arguments == ["--backend", "pymc", "--profile", "quick"]
        return range(seed, seed + 2 * plan.rounds)  # as many again where there is an alarm

    nights = [seeds(number) for number in range(1, 31)]
    assert nights == [seeds(number) for number in range(1, 31)]
    assert len({seed for night in nights for seed in night}) == sum(map(len, nights))
    order = load("interleave").order
    sides = {tuple(side for _, side in order(7, night[0])) for night in nights}
    assert len(sides) > 10


def test_what_seven_rounds_find_is_said_alike_everywhere():
    told = " ".join((ROOT / "README.md").read_text("utf-8").split())
    page = (ROOT / "benchmarks" / "gate.md").read_text("utf-8")
    (share,) = re.findall(r"(\d+) of 100 gates find a 15 % slowdown", told)
    assert f"| NUTS 15 % slower, both models | found by {share} of 100 gates |" in page
    assert int(share) > 90
    for path in (ACTION, SCRIPTS / "interleave.py"):
        (line,) = (each for each in path.read_text().splitlines() if "15 %" in each)
        assert re.search("[Ss]even nearly always", line)
        assert " of 100" not in line


THEIRS = re.search(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)[1]
"""What a library adds, as the README has it."""


def test_a_library_adds_ten_lines():
    assert len(THEIRS.splitlines()) == 10
    flow = yaml.safe_load(THEIRS)
    assert flow["permissions"] == {}
    (job,) = flow["jobs"].values()
    (step,) = job["steps"]
    assert step["uses"] == "OWNER/gmixbench@COMMIT"
    inputs = yaml.safe_load(ACTION.read_text())["inputs"]
    needed = {name for name, each in inputs.items() if each.get("required")}
    assert needed <= {*step["with"]} <= {*inputs}
    assert step["with"]["backend"] in BACKENDS
    used = set(re.findall(r"\binputs\.(\w+)", ACTION.read_text()))
    assert used == {*inputs}


def test_the_action_has_no_faults():
    text = ACTION.read_text()
    steps = yaml.safe_load(text)["runs"]["steps"]
    job = {"permissions": {}, "timeout-minutes": 1, "steps": steps}  # are the caller's to say
    assert unpinned(text) == job_faults(job) == []
    ours = re.search(r'UV_VERSION = "(.*)"', (ROOT / ".ci" / "bootstrap.py").read_text())
    assert re.findall(r"uv==(\S+)", text) == [ours[1]]


def value(expression, known):
    """What GitHub makes of the kinds of expression that we have."""
    if "${{" not in expression:
        return expression
    name, form, names = re.fullmatch(
        r"\$\{\{ ([\w.]+)(?: \|\| format\('([^']*)', (.*)\))? \}\}", expression
    ).groups()
    return known[name] or form.format(*(known[each] for each in names.split(", ")))


PULL = {
    "github.server_url": "https://example.org",
    "github.repository": "pymc-devs/pymc",
    "github.event.pull_request.base.sha": "abc",
    "github.event.number": "7",
}


@pytest.fixture
def act(tmp_path, script, side, monkeypatch):
    """Run the action's scripts where `uv` makes environments of stubs; gives what came of each."""

    def call(new, gate="", **given):
        side("base", gate=gate)
        side("head", **new)
        log = tmp_path / "uv.log"
        copy = f'cp {tmp_path}/"$(basename "$4")"/gmixbench "$4"/bin'
        link = f'ln -s {sys.executable} "$4"/bin/python'
        make = f'mkdir -p "$4"/bin && {copy} && {link}'
        tell = f'for word; do echo "$word"; done >> {log}'
        script(tmp_path / "path" / "uv", f'if [ "$1" = venv ]; then {make}; else {tell}; fi')
        script(tmp_path / "path" / "pipx", ":")
        monkeypatch.setenv("PATH", f"{tmp_path / 'path'}{os.pathsep}{os.environ['PATH']}")
        variables = {
            "RUNNER_TEMP": str(tmp_path),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_RUN_NUMBER": "5",
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        }
        action = yaml.safe_load(ACTION.read_text())
        inputs = {
            name: given.get(name, each.get("default")) for name, each in action["inputs"].items()
        }
        known = PULL | {f"inputs.{name}": each for name, each in inputs.items()}
        done = []
        for step in action["runs"]["steps"]:
            own = {name: value(each, known) for name, each in step.get("env", {}).items()}
            if "run" in step:
                done.append(bash(step["run"], tmp_path, **variables, **own))
        return SimpleNamespace(steps=done, asked=log.read_text().split("\n"), folder=tmp_path)

    return call


@pytest.mark.parametrize(
    ("new", "red", "told"),
    [({}, 0, "fine"), ({"slow": ALL}, 1, "regressed"), ({"wrong": (6,)}, 1, "not measured")],
)
def test_the_action_is_red_for_what_is_worse_and_tells_it(act, new, red, told):
    done = act(new, backend="pymc", rounds="3")
    assert [step.code for step in done.steps] == [0, red, 0], done.steps
    assert (done.folder / "summary.md").read_text().startswith(f"## gmixbench: {told}")
    address = "pymc @ git+https://example.org/pymc-devs/pymc@"
    assert [word for word in done.asked if "@" in word] == [
        f"{address}abc",
        f"{address}refs/pull/7/merge",
    ]
    assert done.asked.count(str(ROOT)) == 2  # the same gmixbench beside each
    runs = [
        line.split()
        for line in (done.folder / "base.log").read_text().splitlines()
        if "run" in line
    ]
    assert [words[words.index("--seed") + 1] for words in runs if words[0] == "run"] == list("567")
    assert all(words[1:5] == ["--backend", "pymc", "--profile", "quick"] for words in runs)


def test_the_action_is_not_red_where_it_can_not_tell(act):
    given = {"base": "numpyro==0.21.0", "head": "numpyro==0.22.0", "rounds": "1"}
    done = act({}, gate=f"{sys.executable} -m gmixbench.cli", backend="numpyro", **given)
    assert [step.code for step in done.steps] == [0, 0, 0]
    assert "::warning::inconclusive" in done.steps[1].out
    assert (done.folder / "summary.md").read_text().startswith("## gmixbench: inconclusive")
    assert [word for word in done.asked if "==" in word] == [given["base"], given["head"]]


@pytest.fixture
def checkout(tmp_path, script, side, monkeypatch):
    """A clone, where `make`, `git` and `uv` do nothing but put stubs in their places."""
    clone = tmp_path / "clone"
    (clone / "benchmarks").mkdir(parents=True)
    (clone / "benchmarks" / "ci").symlink_to(SCRIPTS)

    def place(at, name, **planted):
        script(at / "gmixbench", f'exec {side(name, **planted)} "$@"')
        (at / "python").unlink(missing_ok=True)
        (at / "python").symlink_to(sys.executable)

    freeze = 'if [ "$2" = freeze ]; then echo "library @ $4"; fi'
    script(clone / ".venv-tools" / "bin" / "uv", freeze)
    for name in ("make", "git"):
        script(tmp_path / "path" / name, ":")
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}{os.pathsep}{os.environ['PATH']}")
    return SimpleNamespace(folder=clone, place=place)


def run_job(job, folder, known):
    """Run all scripts of a job, one after the other as GitHub does; gives what came of each."""
    done = {}
    for step in job["steps"]:
        red = any(each.code for each in done.values())
        if "run" in step and ("if" in step or not red):
            own = {name: value(each, known) for name, each in step.get("env", {}).items()}
            given = {"GITHUB_RUN_NUMBER": "1", "GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
            name = step.get("name", step["run"])
            done[name] = bash(step["run"], folder, **given, **own)
    return done


@pytest.mark.parametrize(("planted", "code"), [({}, 0), ({"slow": ALL}, 1)], ids=["well", "slow"])
def test_a_night_measures_and_what_it_leaves_is_published(checkout, publish, planted, code):
    checkout.place(checkout.folder / ".venv" / "bin", "base")
    checkout.place(checkout.folder / "new" / "bin", "new", **planted)
    job = workflow("nightly")["jobs"]["measure"]
    (row, *_) = job["strategy"]["matrix"]["include"]
    known = {f"matrix.{name}": each for name, each in row.items()}
    done = run_job(job, checkout.folder, known)
    measured = done.pop("Measure both, and again where there is an alarm")
    assert measured.code == code, measured.err
    assert [step.code for step in done.values()] == [0] * len(done), done
    told = (checkout.folder / "summary.md").read_text()
    assert told.count("## gmixbench: regressed") == 2 * code
    left = checkout.folder / job["steps"][-1]["with"]["path"]
    answers = {"issue list": "[]", "label create": "", "issue create": ""}
    opened = publish(answers, "issue", left, row["name"])
    assert (opened.code, len(opened.calls)) == (0, 3 * code)
    assert not code or "<pre>library @ .venv -&gt; library @ new</pre>" in opened.calls[-1][1]


@pytest.mark.parametrize(("planted", "code"), [({}, 0), ({"slow": ALL}, 1)], ids=["well", "slow"])
def test_a_pull_request_is_measured_and_what_it_leaves_is_published(
    checkout, publish, planted, code
):
    checkout.place(checkout.folder.parent / "base" / ".venv" / "bin", "base")
    checkout.place(checkout.folder / ".venv" / "bin", "new", **planted)
    job = workflow("compare")["jobs"]["compare"]
    done = run_job(job, checkout.folder, {})
    measured = done.pop("Measure both, and ask the gate")
    assert measured.code == code, measured.err
    assert [step.code for step in done.values()] == [0] * len(done), done
    assert (checkout.folder / "summary.md").read_text().startswith("## gmixbench: ")
    answers = {"/pulls": PULLS, "--paginate": "", "POST": ""}
    told = publish(answers, "comment", checkout.folder / "results").calls[-1][1]
    assert f"**{load('publish').WORDS[str(code)]}**" in told


SMALL = (
    *("-m", "pytest", "-p", "no:cacheprovider", "--pyargs", "gmixbench.suite"),
    *("-k", "test_density and not unordered and -100]", "--gmix-backend", "exact"),
)
"""Arguments of Python for one real benchmark, of a second or so."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "red"),
    [(SMALL, 0), ((*SMALL, "--benchmark-disable"), 1), (("-c", "open('benchmark.json', 'w')"), 1)],
    ids=["measured", "nothing is saved", "damaged"],
)
def test_the_gate_reads_what_pytest_benchmark_saved(tmp_path, script, monkeypatch, words, red):
    (text,) = (command for command in commands() if "--benchmark-only" in command)
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        monkeypatch.delenv(name)  # run by pytest-xdist we are one of its workers; it is none
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name, begin in {"pytest": words, "gmixbench": ("-m", "gmixbench.cli")}.items():
        line = f'exec {shlex.join([sys.executable, *begin])} "$@"'
        script(tmp_path / ".venv" / "bin" / name, line)
    done = bash(text, tmp_path)
    assert bool(done.code) == bool(red), done.out + done.err
    assert red or "inconclusive" in done.out


def test_one_job_can_use_the_action_for_two_libraries(act):
    for backend in ("pymc", "numpyro"):
        done = act({}, backend=backend, rounds="3")
        assert [step.code for step in done.steps] == [0, 0, 0], done.steps
    (upload,) = re.findall(r"upload-artifact@.*?name: (\S.*?)\n", ACTION.read_text(), re.DOTALL)
    assert value(upload.removeprefix("gmixbench-"), {"inputs.backend": "pymc"}) == "pymc"


ROUNDS = ("--rounds", "3")


def test_unchanged_side_passes_and_both_are_measured_alike(run, side, tmp_path):
    done = run("interleave", side("base"), side("new"), *ROUNDS, "--", "--profile", "quick")
    assert done.code == 0, done.err
    calls = {name: (tmp_path / f"{name}.log").read_text().splitlines() for name in ("base", "new")}
    runs = {
        name: [line.split("--out")[0] for line in lines if line.startswith("run")]
        for name, lines in calls.items()
    }
    assert runs["base"] == runs["new"] == [f"run --profile quick --seed {k} " for k in (1, 2, 3)]
    # One ruler judges both.
    assert sum(line.startswith("score") for line in calls["base"]) == 6
    assert not any(line.startswith("score") for line in calls["new"])
    assert (done.out / "order.txt").read_text() == "1 base\n1 new\n2 new\n2 base\n3 new\n3 base\n"
    assert (done.out / "code").read_text() == "0\n"
    assert "fine" in (done.out / "verdict.md").read_text()


def test_slow_side_is_caught_by_the_command_itself(run, side, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    base = side("base", gate=f"{sys.executable} -m gmixbench.cli")
    done = run("interleave", base, side("new", slow=ALL), *ROUNDS)
    assert done.code == 1, done.err
    assert "seconds_per_gradient" in (done.out / "verdict.md").read_text()


@pytest.mark.parametrize(("ended", "code"), [(1, 3), (2, 2)])
def test_command_that_fails_stops_it(run, side, ended, code):
    done = run("interleave", side("base"), side("new", code=ended), *ROUNDS)
    assert done.code == code
    assert f"interleave: exit code {ended}: " in done.err
    assert not (done.out / "code").exists()


def test_gate_that_fails_is_no_regression(run, side):
    done = run("interleave", side("base", gate="false"), side("new"), *ROUNDS)
    assert done.code == 3
    assert "interleave: exit code 1: " in done.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("planted", "code", "told"),
    [
        ({}, 0, None),
        ({"slow": ALL}, 1, "close ordered pymc nuts, seconds_per_gradient: "),
        ({"slow": (1, 2, 3)}, 4, None),  # by the second run's seeds, 4 to 6, it is well again
        ({"wrong": ALL}, 3, "9 MCSE off"),
        ({"wrong": (2,)}, 4, None),
        ({"wrong": (2, 5)}, 3, "9 MCSE off"),
    ],
    ids=["well", "slow", "slow once", "wrong", "wrong once", "wrong at times"],
)
def test_nightly_tells_what_is_confirmed_and_no_more(run, side, planted, code, told):
    done = run("nightly", side("base"), side("new", **planted), *ROUNDS)
    assert done.code == code, done.err
    assert (done.out / "second").exists() == bool(planted)
    finding = done.out / "finding.json"
    assert finding.exists() == (told is not None)
    if told:
        assert told in json.loads(finding.read_text())["second"][0]


GH = """\
import json, os, sys

words = sys.argv[1:]
files = [word.removeprefix("body=@") for word in words if word.endswith("text.md")]
with open(os.environ["CALLS"], "a") as file:
    print(json.dumps([" ".join(words), open(files[0]).read() if files else None]), file=file)
for key, answer in json.loads(os.environ["ANSWERS"]).items():
    if key in " ".join(words):
        sys.stdout.write(answer)
        break
else:
    sys.exit(1)
"""


@pytest.fixture
def publish(tmp_path, script, monkeypatch):
    """Call `publish.py` with a `gh` that knows these answers; gives its calls, and their texts."""
    (tmp_path / "gh.py").write_text(GH)
    script(tmp_path / "bin" / "gh", f'exec {sys.executable} {tmp_path}/gh.py "$@"')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("GITHUB_REPOSITORY", "us/suite")
    monkeypatch.setenv("RUN_URL", "https://example.org/run")
    for name, value in {"OWNER": "fork", "BRANCH": "fix", "SHA": "abc"}.items():
        monkeypatch.setenv(f"HEAD_{name}", value)

    def call(answers, *words):
        monkeypatch.setenv("ANSWERS", json.dumps(answers))
        command = [sys.executable, SCRIPTS / "publish.py", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        calls = tmp_path / "calls"
        lines = calls.read_text().splitlines() if calls.exists() else []
        return SimpleNamespace(
            code=done.returncode,
            out=done.stdout,
            err=done.stderr,
            calls=[json.loads(line) for line in lines],
        )

    return call


FINDING = {
    "code": 1,
    "first": ["close ordered pymc nuts, ess_per_gradient: </pre> @somebody"],
    "second": ["the same"],
}


@pytest.fixture
def found(tmp_path):
    """Folder with what a night found, in a library that would speak in our name."""
    (tmp_path / "finding.json").write_text(json.dumps(FINDING))
    (tmp_path / "base.txt").write_text("numpy==2.3.0\npymc==6.4.0\nruff==0.14\n")
    (tmp_path / "new.txt").write_text("numpy==2.3.0\npymc @ git+https://example.org/pymc@123\n")
    return tmp_path


def test_issue_is_opened_once(publish, found):
    answers = {"issue list": "[]", "label create": "", "issue create": "https://example.org/1"}
    done = publish(answers, "issue", found, "pymc-development")
    assert done.code == 0, done.err
    asked, label, (opened, text) = done.calls
    assert "--repo us/suite --label nightly: pymc-development" in asked[0]
    assert label[0].startswith("label create nightly: pymc-development")
    assert "--title pymc-development: regressed" in opened
    assert "first run: close ordered pymc nuts, ess_per_gradient: &lt;/pre&gt;" in text
    assert "pymc==6.4.0 -&gt; pymc @ git+https://example.org/pymc@123" in text
    assert "numpy" not in text
    assert "https://example.org/run" in text
    assert text.count("</pre>") == 2


def test_open_issue_gets_a_comment(publish, found):
    answers = {"issue list": '[{"number": 7}]', "issue comment 7": ""}
    done = publish(answers, "issue", found, "pymc-development")
    assert done.code == 0, done.err
    assert [words.split(" --")[0] for words, _ in done.calls] == ["issue list", "issue comment 7"]
    assert "ess_per_gradient" in done.calls[-1][1]


def test_nothing_confirmed_opens_nothing(publish, tmp_path):
    done = publish({}, "issue", tmp_path, "pymc-release")
    assert (done.code, done.calls) == (0, [])


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "3", "{}", "\xff", "[" * 100_000, json.dumps({"code": 1})),
        *(json.dumps(FINDING | {"code": code}) for code in (2, None, [1], "worse")),
        *(json.dumps(FINDING | {"second": lines}) for lines in (None, "one", [1], {"a": "b"})),
    ],
)
def test_finding_of_another_form_is_told_in_one_line_and_stops_nothing(publish, found, text):
    (found / "finding.json").write_bytes(text.encode("latin-1"))
    done = publish({}, "issue", found, "pymc-release")
    assert (done.code, done.err, done.calls) == (0, "", [])
    assert done.out == "pymc-release: finding.json is not of the form that nightly.py gives it\n"


def test_refusal_of_github_is_told(publish, found):
    done = publish({}, "issue", found, "pymc-release")
    assert done.code == 1
    assert done.err.splitlines()[-1].startswith("publish: exit code 1: gh issue list")


PULLS = json.dumps([{"number": 8, "head": {"sha": "older"}}, {"number": 9, "head": {"sha": "abc"}}])
COMMENTS = "\n".join(
    json.dumps({"id": number, "type": kind, "body": body})
    for number, kind, body in [
        (1, "User", "<!-- gmixbench verdict --> not ours: anyone can write this"),
        (2, "Bot", "of another bot"),
        (3, "Bot", "<!-- gmixbench verdict -->\nours"),
    ]
)


@pytest.fixture
def verdict(tmp_path):
    """Folder with a verdict that would break out of its frame."""
    (tmp_path / "code").write_text("1\n")
    (tmp_path / "verdict.md").write_text("</pre> @everybody " + "<" * 100_000)
    return tmp_path


def test_comment_goes_to_the_pull_request_that_was_measured(publish, verdict):
    answers = {"/pulls": PULLS, "--paginate": "", "POST": ""}
    done = publish(answers, "comment", verdict)
    assert done.code == 0, done.err
    assert done.calls[0][0] == "api -X GET repos/us/suite/pulls -f head=fork:fix"
    words, text = done.calls[-1]
    assert words.startswith("api -X POST repos/us/suite/issues/9/comments -F body=@")
    assert text.startswith("<!-- gmixbench verdict -->\ngmixbench at abc: **regressed**")
    assert text.count("</pre>") == 1
    assert len(text) < 65_536


def test_own_comment_is_changed(publish, verdict):
    done = publish({"/pulls": PULLS, "--paginate": COMMENTS, "PATCH": ""}, "comment", verdict)
    assert done.code == 0, done.err
    assert done.calls[-1][0].startswith("api -X PATCH repos/us/suite/issues/comments/3 ")


def test_head_that_moved_on_gets_no_comment(publish, verdict, monkeypatch):
    monkeypatch.setenv("HEAD_SHA", "gone")
    done = publish({"/pulls": PULLS}, "comment", verdict)
    assert (done.code, len(done.calls)) == (0, 1)


@pytest.mark.parametrize("code", ["", "2", "0; rm", "**fine**"])
def test_code_that_is_none_is_not_repeated(publish, verdict, code):
    (verdict / "code").write_text(code)
    done = publish({"/pulls": PULLS, "--paginate": "", "POST": ""}, "comment", verdict)
    assert "abc: **stopped before it had an answer**" in done.calls[-1][1]
