"""Tell people: a comment on a pull request, or an issue. The only script that may write there.

    python benchmarks/ci/publish.py comment FOLDER
    python benchmarks/ci/publish.py issue FOLDER NAME

FOLDER was left by a job that ran other people's code, so nothing in it is believed but its form:
exit codes are looked up in a table, all else is shown as plain text. It needs `gh` with a token,
and reads from the environment what GitHub itself says of the run: GITHUB_REPOSITORY and RUN_URL;
for a comment also HEAD_OWNER, HEAD_BRANCH and HEAD_SHA, which find the pull request.
"""

import html
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

WORDS = {
    "0": "nothing got worse",
    "1": "regressed",
    "3": "invalid or not measured",
    "4": "inconclusive: more rounds could tell",
}
"""What an exit code means to a reader."""

LONGEST = 20_000
"""Characters of other people's text in one piece; GitHub takes 65,536 in all."""

MARK = "<!-- gmixbench verdict -->"
"""Begins our comment, by which it is found again."""


def comment(folder: Path) -> None:
    """Comment on the pull request that was measured, or change the comment that is there."""
    repository, sha = f"repos/{os.environ['GITHUB_REPOSITORY']}", os.environ["HEAD_SHA"]
    head = f"head={os.environ['HEAD_OWNER']}:{os.environ['HEAD_BRANCH']}"
    pulls = json.loads(_gh("api", "-X", "GET", f"{repository}/pulls", "-f", head))
    numbers = [pull["number"] for pull in pulls if pull["head"]["sha"] == sha]
    if not numbers:
        print(f"no open pull request has {sha} as its head any more")
        return
    comments = f"{repository}/issues/{numbers[0]}/comments"
    told = _gh("api", "--paginate", comments, "-q", ".[] | {id, body, type: .user.type}")
    ours = [
        each["id"]
        for each in map(json.loads, told.splitlines())
        if each["type"] == "Bot" and each["body"].startswith(MARK)
    ]
    where = ["PATCH", f"{repository}/issues/comments/{ours[0]}"] if ours else ["POST", comments]
    _gh_with(_verdict(folder), "api", "-X", *where, "-F", "body=@{}")


def issue(folder: Path, name: str) -> None:
    """Open an issue about what is confirmed, or comment on the one that is open."""
    path = folder / "finding.json"
    if not path.is_file():
        print(f"{name}: nothing is confirmed")
        return
    finding = _finding(path)
    if finding is None:
        print(f"{name}: finding.json is not of the form that nightly.py gives it")
        return
    repository = ["--repo", os.environ["GITHUB_REPOSITORY"]]
    label = f"nightly: {name}"
    body = ["--body-file", "{}"]
    there = json.loads(_gh("issue", "list", *repository, "--label", label, "--json", "number"))
    if there:
        number = str(there[0]["number"])
        _gh_with(_report(finding, folder), "issue", "comment", number, *repository, *body)
        return
    _gh("label", "create", label, *repository, "--force", "--description", "Found by two runs")
    title = ["--title", f"{name}: {WORDS[str(finding['code'])]}"]
    _gh_with(
        _report(finding, folder), "issue", "create", *repository, "--label", label, *title, *body
    )


def _verdict(folder: Path) -> str:
    word = WORDS.get(_text(folder / "code").strip(), "stopped before it had an answer")
    sha, run = os.environ["HEAD_SHA"], os.environ["RUN_URL"]
    lines = [MARK, f"gmixbench at {sha}: **{word}** ([the run]({run}))"]
    told = _text(folder / "verdict.md")
    if told:
        lines += ["", "<details><summary>What the gate wrote</summary>", ""]
        lines += [_plain(told), "", "</details>"]
    return "\n".join(lines)


def _finding(path: Path) -> dict[str, Any] | None:
    """What nightly.py confirmed; None where the file has another form."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or str(found.get("code")) not in WORDS:
        return None
    lines = (found.get(which) for which in ("first", "second"))
    right = all(isinstance(each, list) and all(isinstance(x, str) for x in each) for each in lines)
    return found if right else None


def _report(finding: Mapping[str, Any], folder: Path) -> str:
    run = os.environ["RUN_URL"]
    told = [f"{which} run: {line}" for which in ("first", "second") for line in finding[which]]
    known, new = (_packages(folder / side) for side in ("base.txt", "new.txt"))
    changed = [
        f"{known.get(name, 'none')} -> {line}"
        for name, line in sorted(new.items())
        if known.get(name) != line
    ]
    return "\n".join(
        [
            f"Two runs of one night agree, each with seeds of its own ([both]({run})):",
            "",
            _plain("\n".join(told)),
            "",
            "Packages that differ from those of the known side:",
            "",
            _plain("\n".join(changed)),
        ]
    )


def _packages(path: Path) -> dict[str, str]:
    """Lines of `uv pip freeze` by the name that they begin with."""
    return {line.split("==")[0].split(" ")[0]: line for line in _text(path).splitlines()}


def _plain(text: str) -> str:
    # Inside <pre> nobody is mentioned and nothing is a link; what is escaped can't end it.
    return f"<pre>{html.escape(text)[:LONGEST]}</pre>"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _gh(*arguments: str) -> str:
    done = subprocess.run(["gh", *arguments], check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"publish: exit code {done.returncode}: gh {' '.join(arguments)}")
    return done.stdout


def _gh_with(text: str, *arguments: str) -> None:
    """Call `gh` with the path of a file that holds `text` in the place of `{}`."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "text.md"
        path.write_text(text, encoding="utf-8")
        print(_gh(*(each.replace("{}", str(path)) for each in arguments)))


def main(arguments: list[str]) -> None:
    """Publish what is in a folder."""
    match arguments:
        case ["comment", folder]:
            comment(Path(folder))
        case ["issue", folder, name]:
            issue(Path(folder), name)
        case _:
            print((__doc__ or "").split("\n\n")[1], file=sys.stderr)
            sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
