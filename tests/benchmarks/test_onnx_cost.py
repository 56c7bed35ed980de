"""Exports beside torch, on scenes that the tests make."""

import pytest

pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from ovsam.commands import benchmark
from ovsam.utils.marked_section import section_marks


def test_a_table_of_an_export(exported, small_world, tmp_path, monkeypatch, capsys):
    folder = exported('mini')
    monkeypatch.setenv('OVSAM_PICTOGRAMS', str(small_world))
    page = tmp_path / 'page.md'
    page.write_text('\n'.join(section_marks('onnx')))
    command = ['onnx', 'mini', str(folder), '--images', '2', '--insert', str(page)]
    command += ['--precision', 'fp32', 'bf16']
    assert benchmark.main(command) == 0
    head, _, *rows = [line for line in page.read_text().splitlines() if line.startswith('|')]
    cells = [[cell.strip() for cell in row.strip('|').split('|')] for row in rows]
    assert [row[:2] for row in cells] == [
        ['torch', 'fp32'],
        ['torch', 'bf16'],
        [str(folder), 'fp32'],
    ]
    # The same model: as large, and as good.
    torch, half, onnx = ([float(row[2]), *map(float, row[-2:])] for row in cells)
    assert onnx == pytest.approx(torch, rel=0.1) and onnx[1] > 50
    assert half[0] == pytest.approx(torch[0] / 2, rel=0.05)
    assert half[1] == pytest.approx(torch[1], abs=1)
    assert float(cells[0][4]) == 1 and float(cells[2][5]) == 1

    assert benchmark.main(['onnx', 'mini', str(folder), '--images', '1']) == 2
    assert 'from 2 to the 2 there are; got 1' in capsys.readouterr().err
    assert benchmark.main(['onnx', 'configs/mini/ovsam_box.py', str(folder), '--images', '2']) == 2
    assert 'has other names than' in capsys.readouterr().err
