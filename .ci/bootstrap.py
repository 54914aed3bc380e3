"""Make the locked environment, given any Python from 3.6 on that can make virtual environments.

    python3 .ci/bootstrap.py          newest suitable Python on this machine, into .venv
    python3 .ci/bootstrap.py 3.11     that Python, into .venv-3.11

uv does the work; pip installs it, at one version, into .venv-tools.
Written in the syntax of Python 3.6: it runs before anything newer is known to exist.
"""

import os
import subprocess
import sys
from glob import glob

UV_VERSION = "0.13.9"
SUPPORTED = ("3.13", "3.12", "3.11")

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOLS = os.path.join(ROOT, ".venv-tools")

# Where interpreters stand besides PATH.
PLACES = ("/usr/local/bin", "/usr/bin")

# An interpreter tells its version and its real path: pyenv's shims, environments and links all
# lead to the same one. Pre-releases, other implementations and free-threaded builds have no wheels.
PROBE = """
import platform, sys, sysconfig
if sys.version_info[3] != "final" or platform.python_implementation() != "CPython":
    sys.exit(1)
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    sys.exit(1)
print("%d.%d" % sys.version_info[:2])
print(getattr(sys, "_base_executable", None) or sys.executable)
"""

NO_VENV = (
    "{} can't make a virtual environment with pip in it: it must be 3.8 or newer and have its venv "
    "module (Debian, Ubuntu: apt install python3-venv). Install that, then try again."
)
NO_PYTHON = "No Python {} is here, and uv could not download it: install it, then try again."


def output(*command):
    """What a command prints, or an empty text if it can't be run or fails."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
        )
    except OSError:
        return ""
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


def candidates(version):
    """Paths where an interpreter of that version may stand; a pyenv shim may be there and fail."""
    folders = os.environ.get("PATH", "").split(os.pathsep) + list(PLACES)
    paths = [os.path.join(folder, "python" + version) for folder in folders if folder]
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    paths += glob(os.path.join(pyenv, "versions", version + ".*", "bin", "python"))
    return [path for path in [sys.executable, *paths] if os.access(path, os.X_OK)]


def find_python(version):
    """Real path of an interpreter of that version that runs, or None."""
    for path in candidates(version):
        lines = output(path, "-c", PROBE).splitlines()
        if len(lines) == 2 and lines[0] == version:
            return lines[1]
    return None


def choose_python(version=None):
    """Interpreter for the project: a path, or a version that uv shall download."""
    wanted = [version] if version else SUPPORTED
    found = (find_python(each) for each in wanted)
    return next((path for path in found if path), wanted[0])


def install_uv(pythons):
    """Path of uv in its own environment, which is made by the first of `pythons` that can."""
    uv = os.path.join(TOOLS, "bin", "uv")
    if output(uv, "--version").split()[1:2] == [UV_VERSION]:
        return uv
    print("Installing uv {} into .venv-tools".format(UV_VERSION), flush=True)
    for python in pythons:
        modern = output(python, "-c", "import sys; print(sys.version_info >= (3, 8))")
        if modern.strip() != "True":  # uv's wheels are for Python 3.8 and later
            continue
        subprocess.call([python, "-m", "venv", "--clear", TOOLS], stdout=subprocess.DEVNULL)
        pip = [os.path.join(TOOLS, "bin", "python"), "-m", "pip"]
        if not output(*pip, "--version"):
            continue
        options = ["--quiet", "--disable-pip-version-check"]
        if subprocess.call([*pip, "install", *options, "uv==" + UV_VERSION]) == 0:
            return uv
        sys.exit("pip could not install uv {}: see its message above.".format(UV_VERSION))
    sys.exit(NO_VENV.format(sys.executable))


def main(arguments):
    """Sync the project; returns uv's exit code."""
    version = arguments[0] if arguments else None
    if version and version not in SUPPORTED:
        sys.exit("PYTHON={}: choose one of {}.".format(version, ", ".join(SUPPORTED)))
    python = choose_python(version)
    uv = install_uv([sys.executable, python])
    environment = dict(os.environ)
    environment.pop("VIRTUAL_ENV", None)  # another project's environment may be active
    environment["UV_PROJECT_ENVIRONMENT"] = ".venv-" + version if version else ".venv"
    code = subprocess.call([uv, "sync", "--locked", "--python", python], cwd=ROOT, env=environment)
    if code and not os.path.isabs(python):
        print(NO_PYTHON.format(version or " or ".join(SUPPORTED)), file=sys.stderr)
    return code


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
