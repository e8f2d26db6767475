"""``stemcrate`` in a folder of its own: in this process, which has loaded it already, or as one."""

import io
import json
import logging
import os
import subprocess
import sys
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from config import settings
from core.library.catalogue.database import open_engine
from core.system.database import engine_for

ROOT = Path(__file__).parents[3]


class Shell:
    """Runs commands below a folder, with a data folder in there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"

    def run(self, *arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in this process: all but how Python starts and ends."""
        out, err = io.StringIO(), io.StringIO()
        words = [str(argument) for argument in arguments]
        root = logging.getLogger()
        handlers, level = list(root.handlers), root.level
        with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["stemcrate", *words])
            for name, value in {**self.environment(), **environment}.items():
                patch.setenv(name, value)
            stack.callback(settings.cache_clear)
            stack.callback(open_engine.cache_clear)
            stack.callback(engine_for.cache_clear)
            if url := environment.get("DATABASE_URL"):
                stack.callback(lambda: engine_for(url).dispose())
            settings.cache_clear()
            stack.enter_context(redirect_stdout(out))
            stack.enter_context(redirect_stderr(err))
            code: object = 0
            try:
                main()
            except SystemExit as end:
                code = end.code or 0
        logging.basicConfig(force=True, handlers=handlers, level=level)
        return subprocess.CompletedProcess(words, int(str(code)), out.getvalue(), err.getvalue())

    def run_as_process(
        self, *arguments: object, stderr: int = subprocess.PIPE, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "cli.main", *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, **self.environment(), "PYTHONPATH": str(ROOT), **environment},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )

    def environment(self) -> dict[str, str]:
        return {"DATA_DIR": str(self.data), "DATABASE_URL": "", "COLUMNS": "200"}

    def json(self, *arguments: object, code: int = 0) -> dict[str, Any]:
        """Run a command in this process, and give what it says as JSON."""
        result = self.run(*arguments, "--json")
        assert result.returncode == code, result.stderr
        loaded: dict[str, Any] = json.loads(result.stdout)
        return loaded
