"""What of the installation works, what is missing, which feature that costs, and the command to fix it.

Nothing here changes anything: the one file written is a probe in the cache folder, removed at once. Optional packages
are imported in a child process each, since a broken one may take its process down with it.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from netwright import files
from netwright.doctor.finding import Finding
from netwright.words import counted, listed

_OLDEST_PYTHON = (3, 11)
_OLDEST_TORCH = (2, 9)
_LITTLE_DISK_MB = 2_000
_SECONDS_TO_IMPORT = 120
_BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
)
_BROWSER_PATHS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)


@dataclass(frozen=True)
class Optional:
    """Packages netwright can do without, installed together.

    Args:
        modules: What is imported.
        package: What is installed.
        feature: What does not work without it.
        before: What is run before they are imported, as netwright itself does.
    """

    modules: tuple[str, ...]
    package: str
    feature: str
    before: str = ""


OPTIONAL = (
    Optional(("pandas",), "pandas", "data frames as data"),
    Optional(("onnx", "onnxscript", "onnxruntime"), "netwright[export]", "ONNX files"),
    Optional(("tokenizers",), "netwright[text]", "tokens: bpe"),
    Optional(
        ("timm", "torchvision", "huggingface_hub", "h5py"),
        "netwright[zoo]",
        "timm's networks and h5 weights",
        before="from netwright.models import torchvision_here; torchvision_here.models(); ",
    ),
)
CORE = (
    "numpy", "PIL", "safetensors", "pydantic", "yaml", "jaxtyping", "cyclopts", "rich", "jinja2", "pyarrow", "sklearn",
    "threadpoolctl", "psutil", "filelock", "soundfile", "soxr", "rapidfuzz", "pycparser", "starlette", "uvicorn",
)  # fmt: skip


def check(cache: Path) -> list[Finding]:
    """Everything looked at, in the order a person should read it.

    Args:
        cache: The cache folder; need not exist yet.
    """
    with ThreadPoolExecutor() as pool:
        extras = pool.map(optional, OPTIONAL)
        return [python(), torch(), cuda(), core(), cache_folder(cache), free_disk(cache), browser(), *extras]


def python() -> Finding:
    """The interpreter's version."""
    name = f"Python {platform.python_version()} at {sys.executable}, {platform.system()} {platform.machine()}"
    if sys.version_info[:2] < _OLDEST_PYTHON:
        wanted = ".".join(map(str, _OLDEST_PYTHON))
        return Finding("python", "bad", f"{name}; netwright needs {wanted} or newer.", f"Install Python {wanted}.")
    return Finding("python", "good", name)


def torch() -> Finding:
    """The version of torch and its threads."""
    try:
        import torch as found
    except (ImportError, OSError) as exc:
        return Finding("torch", "bad", f"torch cannot be imported: {_first_line(str(exc))}", _install("torch>=2.9"))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = found.get_num_threads()
    said = f"torch {found.__version__}, {counted(threads, 'thread')} on {counted(cores, 'core')}"
    version = tuple(int(part) for part in found.__version__.split("+")[0].split(".")[:2])
    if version < _OLDEST_TORCH:
        wanted = ".".join(map(str, _OLDEST_TORCH))
        return Finding("torch", "bad", f"{said}; netwright needs {wanted} or newer.", _install(f"torch>={wanted}"))
    if threads > cores:
        cure = f"Set OMP_NUM_THREADS={cores}: more threads than cores slow each other down."
        return Finding("torch", "note", said, cure)
    return Finding("torch", "good", said)


def cuda() -> Finding:
    """Whether there is a GPU that torch can use, in one line."""
    try:
        import torch as found
    except (ImportError, OSError):
        return Finding("cuda", "note", "not looked at, since torch cannot be imported")
    if found.cuda.is_available():
        cards = [found.cuda.get_device_properties(k) for k in range(found.cuda.device_count())]
        said = ", ".join(f"{card.name} with {card.total_memory / 2**30:.0f} GiB" for card in cards)
        return Finding("cuda", "good", f"CUDA {found.version.cuda}: {said}")
    card_there = shutil.which("nvidia-smi") is not None
    if found.version.cuda is None and card_there:
        cure = "Install a CUDA build of torch; pytorch.org names the command for your driver."
        return Finding(
            "cuda", "note", "There seems to be an NVIDIA GPU, but this torch is built for the CPU only.", cure
        )
    if found.version.cuda is None:
        return Finding("cuda", "note", "No CUDA: this torch is built for the CPU only. Everything works, on the CPU.")
    cure = "Run nvidia-smi: it must list the GPU. If it does not, install or update the NVIDIA driver."
    return Finding("cuda", "note", f"torch is built for CUDA {found.version.cuda}, but no GPU answers.", cure)


def core() -> Finding:
    """Whether every package netwright cannot do without can be imported."""
    missing = [module for module in CORE if importlib.util.find_spec(module) is None]
    if not missing:
        failed = _import_failure("netwright.absent", *CORE)
        if not failed:
            return Finding("packages", "good", f"all {len(CORE)} needed packages can be imported")
        return Finding(
            "packages", "bad", f"A needed package is broken: {failed}", _install("--force-reinstall netwright")
        )
    return Finding("packages", "bad", f"Missing: {', '.join(missing)}.", _install("netwright"))


def cache_folder(folder: Path) -> Finding:
    """Whether the cache folder can be written, and how much lies in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"netwright")
    except OSError as exc:
        said = f"The cache folder {files.printable(folder)} cannot be written: {exc.strerror or exc}."
        return Finding("cache", "bad", said, "Set NETWRIGHT_CACHE to a folder on a disk with room.")
    held_mb = sum(size for path in folder.rglob("*") if (size := _size(path))) / 1e6
    return Finding("cache", "good", f"{files.printable(folder)} can be written and holds {held_mb:,.0f} MB")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() and not path.is_symlink() else 0
    except OSError:  # removed by another run meanwhile
        return 0


def free_disk(folder: Path) -> Finding:
    """How much room the disk of the cache has."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), Path.cwd())
    free_mb = files.free_mb(there)
    said = f"{free_mb / 1000:,.1f} GB free where the cache lies"
    if free_mb < _LITTLE_DISK_MB:
        cure = (
            "Free some space, or set NETWRIGHT_CACHE to another disk; `netwright data cache --prune` empties the cache."
        )
        return Finding("disk", "bad" if free_mb < 200 else "note", said, cure)
    return Finding("disk", "good", said)


def browser() -> Finding:
    """Whether a browser can print reports as PDF."""
    found = find_browser()
    if found is not None:
        return Finding("browser", "good", f"{found} can write reports as PDF")
    cure = "Install Chromium, Chrome or Edge, or open report.html in any browser and print it to a PDF file."
    return Finding("browser", "note", "No Chromium, Chrome or Edge found: reports cannot be written as PDF.", cure)


def find_browser() -> Path | None:
    """The first installed browser that can print without a window: Chromium, Chrome or Edge."""
    on_path = (shutil.which(name) for name in _BROWSERS)
    usual = (path for path in _BROWSER_PATHS if Path(path).is_file())
    found = next((each for each in (*on_path, *usual) if each), None)
    return Path(found) if found else None


def optional(package: Optional) -> Finding:
    """Whether optional packages are there and work; their import is tried in a process of its own."""
    name = package.package
    extra = "[" in name
    missing = [module for module in package.modules if importlib.util.find_spec(module) is None]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        said = f"{listed(missing)} {are} not installed. It costs {package.feature}; everything else works."
        return Finding(name, "note", said, _install(f"'{name}'" if extra else name))
    failed = _import_failure(*package.modules, before=package.before)
    if failed:
        again = " ".join(package.modules) if extra else name  # never netwright itself, which lies in no index
        said = f"{name} is installed but broken ({failed}). It costs {package.feature}; everything else works."
        return Finding(name, "bad", said, _install(f"--force-reinstall {again}"))
    return Finding(name, "good", ", ".join(f"{module} {_version(module)}" for module in package.modules))


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "of unknown version"


def _import_failure(*modules: str, before: str = "") -> str:
    """Why an import fails, in one line; empty when it works."""
    # -P: a file named like a package beside the user's data must not be imported in its place.
    command = [sys.executable, "-P", "-c", f"{before}import {', '.join(modules)}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS_TO_IMPORT, check=False)
    except subprocess.TimeoutExpired:
        return f"its import took more than {_SECONDS_TO_IMPORT} s"
    if done.returncode == 0:
        return ""
    if done.returncode < 0:
        return f"its import was ended by signal {-done.returncode}"
    return _first_line(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit {done.returncode}")


def _first_line(message: str) -> str:
    line = message.strip().partition("\n")[0]
    return line if len(line) <= 160 else line[:159] + "…"


def _install(what: str) -> str:
    return f"{sys.executable} -m pip install {what}"
