"""Parity: with the same weights, this project computes what the published systems compute.

The reference is a folder with ``expected/*``, what the published systems print, and
``manifests/*.json``, published checkpoints' keys and shapes; the environment variable
``OVSAM_PARITY`` names it. Its files are chosen by name: one that is added there is checked from
then on. Of some of them there are copies in ``tests/data``, which are checked where the folder or
the file does not exist. Weights are not stored: each is drawn from a generator seeded by its own
key.
"""

import json
import os
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

REPOSITORY = Path(__file__).parents[2]
DATA = Path(__file__).parents[1] / 'data'
PARITY = Path(os.environ.get('OVSAM_PARITY', REPOSITORY / '../shared/parity')).resolve()
# A test that asks for one of these runs once for each file that is there.
CASES = {
    'sam_encoder_file': 'sam_vit_?_encoder.npz',
    'sam_decoder_file': 'sam_decoder.npz',
    'ovsam_file': 'ovsam_*.npz',
    'clip2sam_loss_file': 'clip2sam_loss_*.json',
    'mmcv_ops_file': 'mmcv_ops.npz',
}
MANIFESTS = {
    'sam_manifest': 'sam_vit_*.json',
    'clip_manifest': 'clip_*.json',
    'ovsam_manifest': 'ovsam_*.json',
}


def reference_files(name):
    """The files that a fixture stands for; of two of the same name the folder's counts."""
    if name in MANIFESTS:
        return sorted((PARITY / 'manifests').glob(MANIFESTS[name]))
    found = {
        path.name: path
        for folder in (DATA, PARITY, PARITY / 'expected')
        for path in folder.glob(CASES[name])
    }
    return [found[file] for file in sorted(found)]


def pytest_generate_tests(metafunc):
    for name in (CASES | MANIFESTS).keys() & set(metafunc.fixturenames):
        paths = reference_files(name)
        skipped = pytest.param(
            None,
            marks=pytest.mark.skip(
                reason=f'no {(CASES | MANIFESTS)[name]} in {PARITY}; OVSAM_PARITY names the folder '
                'of references'
            ),
        )
        metafunc.parametrize(
            name, paths or [skipped], scope='session', ids=[path.stem for path in paths] or ['none']
        )


def pytest_terminal_summary(terminalreporter):
    rows = [
        row
        for outcome in ('passed', 'failed')
        for report in terminalreporter.stats.get(outcome, [])
        for name, row in report.user_properties
        if name == 'parity'
    ]
    if not rows:
        return
    terminalreporter.section('parity: largest deviations')
    terminalreporter.write_line(
        f'references: {PARITY}, else {DATA}'
        if PARITY.is_dir()
        else f'references: {DATA}; there is no {PARITY} (OVSAM_PARITY names a folder with more)'
    )
    width = max(len(array) for array, *_ in rows)
    terminalreporter.write_line(f'{"array":{width}}  deviation  tolerance')
    for array, deviation, tolerance in rows:
        terminalreporter.write_line(
            f'{array:{width}}  {deviation:9.2e}  {tolerance:9.2e}'
            + ('' if deviation <= tolerance else '  too large')
        )


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """Fails a test for what ``check`` noted, after the test has compared all its arrays."""
    result = yield
    rows = (row for name, row in pyfuncitem.user_properties if name == 'parity')
    wrong = [
        f'{array} deviates by {deviation}, allowed are {tolerance}'
        for array, deviation, tolerance in rows
        if not deviation <= tolerance
    ]
    assert not wrong, '; '.join(wrong)
    return result


def _generator(name: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))


class Reference:
    """The drawn weights and inputs."""

    @staticmethod
    def manifest(name: str) -> dict:
        """Shapes by key of a published checkpoint."""
        return json.loads((PARITY / 'manifests' / f'{name}.json').read_text())

    @staticmethod
    def boxes(clip: str) -> torch.Tensor:
        """The prompted boxes (N, 4) of an OVSAM case, input pixels."""
        files = {path.stem: path for path in reference_files('ovsam_file')}
        if f'ovsam_{clip}' not in files:
            pytest.skip(f'the boxes are in ovsam_{clip}.npz, which is not in {PARITY}')
        with np.load(files[f'ovsam_{clip}']) as numbers:
            return torch.from_numpy(numbers['boxes'])

    @staticmethod
    def weight(key: str, shape) -> torch.Tensor:
        """The tensor that a checkpoint key stands for."""
        shape = tuple(shape)
        if key.endswith('num_batches_tracked'):
            return torch.zeros(shape, dtype=torch.long)
        if key.endswith('logit_scale'):
            return torch.tensor(4.6052)
        generator = _generator(key)
        if key.endswith('running_var'):
            return torch.from_numpy(generator.uniform(0.5, 1.5, shape)).float()
        value = generator.standard_normal(shape)
        if len(shape) > 1:
            value /= np.sqrt(np.prod(shape[1:]))
        elif key.endswith('weight'):
            value = 1 + 0.1 * value
        else:
            value *= 0.02
        return torch.from_numpy(np.asarray(value)).float()

    def fill(self, module: torch.nn.Module, name: str, published=str) -> torch.nn.Module:
        """Fills a module; ``published`` gives what follows ``name`` in a key's published name."""
        module.load_state_dict(
            {
                key: self.weight(name + published(key), value.shape)
                for key, value in module.state_dict().items()
            }
        )
        return module.eval()

    @staticmethod
    def tensor(name: str, *shape: int) -> torch.Tensor:
        """Standard-normal input."""
        return torch.from_numpy(_generator(name).standard_normal(shape)).float()

    @staticmethod
    def image(name: str, height: int, width: int) -> torch.Tensor:
        """A smooth random picture: RGB (3, height, width), whole numbers from 0 to 255."""
        coarse = _generator(name).uniform(0, 255, (height // 16 + 2, width // 16 + 2, 3))
        rows = np.linspace(0, coarse.shape[0] - 1.001, height)
        columns = np.linspace(0, coarse.shape[1] - 1.001, width)
        row, column = rows.astype(int), columns.astype(int)
        down, right = (rows - row)[:, None, None], (columns - column)[None, :, None]
        top = coarse[row][:, column] * (1 - right) + coarse[row][:, column + 1] * right
        bottom = coarse[row + 1][:, column] * (1 - right) + coarse[row + 1][:, column + 1] * right
        bgr = (top * (1 - down) + bottom * down).round()
        return torch.from_numpy(bgr[..., ::-1].copy()).permute(2, 0, 1).float()


@pytest.fixture(scope='session')
def reference() -> Reference:
    return Reference()


@pytest.fixture
def check(record_property):
    """Notes how far an array is from the published one, for the test's end and the table."""

    def check_array(array: str, actual, expected, absolute: float = 0.0, relative: float = 0.0):
        actual = torch.as_tensor(actual).detach().double().numpy()
        expected = np.asarray(expected, dtype=float)
        assert actual.size == expected.size, (array, actual.shape, expected.shape)
        deviation = float(np.abs(actual.reshape(expected.shape) - expected).max())
        # A relative tolerance is a share of the largest expected value.
        tolerance = float(max(absolute, relative * np.abs(expected).max()))
        record_property('parity', (array, deviation, tolerance))

    return check_array
