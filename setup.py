"""What pyproject.toml cannot say: how the C core is built (csrc/cbuild.py) and which
files of schema/ are in the package too."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
os.chdir(ROOT)
sys.path.insert(0, str(ROOT / "csrc"))
import cbuild  # noqa: E402


class BuildPy(build_py):
    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        schema, package = Path("schema"), Path(self.build_lib, cbuild.PACKAGE)
        for source in (schema / "database_schema.sql", *schema.glob("demo/*.csv")):
            target = package / source.relative_to(schema)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


class BuildExt(build_ext):
    def build_extension(self, ext: Extension) -> None:
        cbuild.build_core(Path(self.get_ext_fullpath(ext.name)))


core = Extension(
    f"{cbuild.PACKAGE}._core",
    sources=cbuild.sources(),
    depends=sorted(str(path) for path in Path("csrc").glob("**/*.h")),
)
setup(ext_modules=[core], cmdclass={"build_ext": BuildExt, "build_py": BuildPy})
