"""Tools that are subcommands of ``ovsam``, run from a checkout."""

from importlib import import_module

import pytest

from ovsam_cli import COMMANDS

OTHER_NAMES = dict(
    serve='label_studio_backend',
    download='download_weights',
    convert='convert_checkpoint',
    export='export_onnx',
    vocabulary='build_vocabulary',
)


@pytest.mark.parametrize('command', COMMANDS)
def test_a_tool_is_its_subcommand(command):
    tool = import_module(f'tools.{OTHER_NAMES.get(command, command)}')
    assert tool.main is import_module(f'ovsam.commands.{command}').main
