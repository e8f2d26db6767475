"""The real programs that some tests need: where they are, which are missing, what brings them.

Run as ``python -m tests.programs``, it installs what is missing where it may: as root on Debian or
Ubuntu.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from pathlib import Path

import pytest

from bench.databases import find_postgresql

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
POSTGRES_VARIABLE = "STEMCRATE_TEST_DATABASE_URL"
REASON = "missing program: "
_APT = ("apt-get", "-o", "DPkg::Lock::Timeout=300")


@dataclass(frozen=True)
class Program:
    """A program or library of the system, looked for once."""

    package: str  # Debian's; empty: it comes with the packages of the tests
    find: Callable[[], str | None]


def find_first(*names: str) -> str | None:
    """Return the path of the first of these programs that is in PATH."""
    return next(filter(None, map(shutil.which, names)), None)


def find_database_server() -> str | None:
    """Return the URL of the server that the environment names, or where one is installed."""
    return os.environ.get(POSTGRES_VARIABLE) or find_postgresql()


def find_seaweedfs() -> str | None:
    """Return the object store's server, which a package of the tests carries."""
    return shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")


def find_chromaprint() -> str | None:
    """Return the module that wraps libchromaprint, which loads only where the library is."""
    try:
        return import_module("chromaprint").__file__
    except ImportError:
        return None


def find_kubectl() -> str | None:
    """Return kubectl, unless its kustomize is older than folders among resources (Debian 12's)."""
    program = find_first("kubectl")
    if program is None:
        return None
    command = [program, "version", "--client"]
    told = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return program if "Kustomize Version" in told.stdout else None


def find_python_headers() -> str | None:
    """Return Python's header file, which compiled networks need; Debian packages it apart."""
    header = Path(sysconfig.get_path("include"), "Python.h")
    return str(header) if header.is_file() else None


def find_networks() -> str | None:
    """Return the program that sets up networks, where this process may make them for itself."""
    link = ("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
    try:
        made = subprocess.run(("unshare", "-rn", *link), capture_output=True, check=False)
    except FileNotFoundError:
        return None
    return find_first("ip") if made.returncode == 0 else None


PROGRAMS = {
    "chromium": Program("chromium", partial(find_first, *BROWSERS)),
    "mixxx": Program("mixxx", partial(find_first, "mixxx")),
    "xvfb": Program("xvfb", partial(find_first, "Xvfb")),
    "xdotool": Program("xdotool", partial(find_first, "xdotool")),
    "postgresql": Program("postgresql", find_database_server),
    "seaweedfs": Program("", find_seaweedfs),
    "chromaprint": Program("libchromaprint1", find_chromaprint),
    "nginx": Program("nginx", partial(find_first, "nginx", "/usr/sbin/nginx")),
    "prometheus": Program("prometheus", partial(find_first, "prometheus")),
    "promtool": Program("prometheus", partial(find_first, "promtool")),
    "kubectl": Program("", find_kubectl),
    "networks": Program("iproute2", find_networks),
    "g++": Program("g++", partial(find_first, "g++")),
    "Python.h": Program("python3-dev", find_python_headers),
    "ffmpeg": Program("ffmpeg", partial(find_first, "ffmpeg")),
}


@cache
def find(name: str) -> str | None:
    """Return where a program is; None where it is missing."""
    return PROGRAMS[name].find()


def requires(*names: str) -> pytest.MarkDecorator:
    """Return a marker for tests that are left out where one of these programs is missing."""
    missing = [name for name in names if find(name) is None]
    return pytest.mark.skipif(bool(missing), reason=REASON + ", ".join(missing))


def count_missing(reasons: Iterable[str]) -> Counter[str]:
    """Count the tests that each missing program left out, by the reasons of skipped tests."""
    counts: Counter[str] = Counter()
    for reason in reasons:
        _, found, names = reason.partition(REASON)
        counts.update(names.split(", ") if found else ())
    return counts


def install_missing() -> None:
    """Install what is missing from the system's packages; say so and go on where that fails."""
    missing = [program for name, program in PROGRAMS.items() if find(name) is None]
    packages = list(dict.fromkeys(program.package for program in missing if program.package))
    if not packages or os.geteuid() != 0 or not _is_debian():
        return
    print("Installing programs that tests need:", *packages, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    apt = partial(subprocess.run, env=environment, stdin=subprocess.DEVNULL)
    apt([*_APT, "update", "-qq"])
    for package in packages:
        install = [*_APT, "install", "-y", "-qq", "--no-install-recommends", package]
        if apt(install, stdout=subprocess.DEVNULL).returncode:
            print(f"Could not install {package}; the tests that need it are left out.")


def _is_debian() -> bool:
    if shutil.which("apt-get") is None:
        return False
    lines = Path("/etc/os-release").read_text().splitlines()
    systems = [line.partition("=")[2] for line in lines if line.startswith(("ID=", "ID_LIKE="))]
    return any(name in value for value in systems for name in ("debian", "ubuntu"))


if __name__ == "__main__" and sys.argv[1:] != ["no"]:
    install_missing()
