"""A port that is taken is reported by the process that needs it, with the setting that names it."""

import socket
from pathlib import Path

import pytest

from tests.integration.cli.shell import Shell


@pytest.mark.parametrize(("command", "setting"), [("api", "API_PORT"), ("ui", "UI_PORT")])
def test_a_taken_port_is_named_with_its_setting(tmp_path: Path, command: str, setting: str) -> None:
    """Of the workbench only Streamlit's sentence was seen, which names no setting."""
    with socket.create_server(("127.0.0.1", 0)) as other_program:
        port = other_program.getsockname()[1]
        result = Shell(tmp_path).run(command, **{setting: str(port)})

    assert result.returncode == 1
    assert f"port {port} on 127.0.0.1 is taken" in result.stderr
    assert setting in result.stderr
