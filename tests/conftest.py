"""What all tests have: the fixtures of the modules below."""

import gc

MODULES = (
    'session',
    'small_wordnet',
    'small_world',
    'tiny_models',
    'tiny_training',
    'published_weights',
    'processes',
)


def pytest_sessionstart(session):
    """Imports them where tests run; a process that hands tests to others needs none of it."""
    plugins = session.config.pluginmanager
    if not plugins.hasplugin('dsession'):
        gc.disable()  # until all is imported: nothing of it is garbage
        for name in MODULES:
            plugins.import_plugin(f'tests.{name}')
