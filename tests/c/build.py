"""Builds and runs the C unit tests: tests/c/test_*.c, each a program of its own.

Every program is linked with all rooms below csrc/py and with the other files of
tests/c, without a Python interpreter, under the address and undefined-behaviour
sanitizers (leaks count as errors).  Started by `./run test`; alone:
`.venv/bin/python tests/c/build.py [test_buf ...]`.

A program finds its scratch directory in TMPDIR, and answers by its exit status.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "csrc"))
import cbuild  # noqa: E402

CC = shlex.split(os.environ.get("CC", "gcc"))
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
COMPILE = [
    *(*CC, "-O1", "-g", "-fno-omit-frame-pointer", *SANITIZE),
    *(*cbuild.DIALECT, "-Wconversion", "-Werror", "-pthread"),
    *("-Icsrc", "-Itests/c", "-DSS_TEST_FAULTS"),
]
SECONDS = 3600 if os.environ.get("SMARTSHOPIE_SOAK") else 120


def build(build_dir: Path) -> list[Path]:
    own = sorted(str(path) for path in Path("tests/c").glob("*.c"))
    shared = [path for path in own if not Path(path).name.startswith("test_")]
    tests = [path for path in own if path not in shared]
    rooms = [path for path in cbuild.sources() if not path.startswith("csrc/py/")]
    if not tests:
        raise SystemExit("there is no tests/c/test_*.c")
    compiler = cbuild.Compiler(COMPILE, build_dir)
    objects = compiler.compile([*rooms, *shared, *tests])
    common, mains = objects[: -len(tests)], objects[-len(tests) :]
    return [
        compiler.link([*CC, *SANITIZE], [main, *common], Path(main).stem)
        for main in mains
    ]


def run(program: Path) -> bool:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=program.name) as scratch:
        environment = {
            **os.environ,
            "TMPDIR": scratch,
            "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1",
            "UBSAN_OPTIONS": "print_stacktrace=1",
        }
        try:
            done = subprocess.run(
                [program],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=SECONDS,
            )
            output, status = done.stdout, f"exit status {done.returncode}"
            passed = done.returncode == 0
        except subprocess.TimeoutExpired as late:
            output, status = late.stdout or b"", f"not done after {SECONDS} s"
            passed = False
    took = time.monotonic() - begun
    if passed:
        print(f"passed tests/c/{program.name}.c ({took:.1f} s)", flush=True)
    else:
        text = output.decode(errors="replace")
        print(f"{text}\nFAILED tests/c/{program.name}.c: {status}", flush=True)
    return passed


def main(names: list[str]) -> int:
    os.chdir(ROOT)
    build_dir = Path("build", "tests-c")
    with cbuild.alone(build_dir):
        programs = build(build_dir)
    unknown = set(names) - {program.name for program in programs}
    if unknown:
        raise SystemExit(f"no such test: {', '.join(sorted(unknown))}")
    chosen = [program for program in programs if not names or program.name in names]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        passed = list(pool.map(run, chosen))
    print(f"C unit tests: {sum(passed)} of {len(passed)} programs passed", flush=True)
    return 0 if all(passed) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
