"""The rules of the house, see CONTRIBUTING."""

import pytest

from . import house

# What runs models, what measures them, and the command, which knows both.
OUTSIDE = ('serving', 'benchmarks', 'commands')
LARGEST_FOLDER = 20
LONGEST_FILE = 300


@pytest.fixture(scope='module')
def arrows():
    return house.imports()


def test_what_is_read_as_an_import():
    found = house.imports()
    assert 'ovsam.parts.two_way_transformer' in found['ovsam.parts.mask_decoder']
    # Through a package's exports, to the file that defines the name.
    assert 'ovsam.prompts.prompts' in found['ovsam.segmenters.promptable_segmenter']
    assert house.circles({'a': {'b'}, 'b': {'c'}, 'c': {'a'}, 'd': {'a'}}) == [['a', 'b', 'c']]


def test_no_circles_of_files(arrows):
    assert house.circles(arrows) == []


def test_no_circles_of_rooms(arrows):
    assert house.circles(house.room_arrows(arrows)) == []


@pytest.mark.parametrize('room', OUTSIDE)
def test_the_core_does_not_know_who_uses_it(arrows, room):
    known_by = {
        module
        for module, targets in arrows.items()
        if any(house.room_of(target) == room for target in targets)
    }
    assert {house.room_of(module) for module in known_by} <= {room, 'commands'}


def test_no_file_is_too_long():
    long = {
        str(path.relative_to(house.REPOSITORY)): count
        for folder in ('projects', 'tools')
        for path in (house.REPOSITORY / folder).rglob('*.py')
        if (count := len(path.read_text('utf-8').splitlines())) > LONGEST_FILE
    }
    assert long == {}


def test_no_folder_is_too_large():
    large = {
        folder: count for folder, count in house.files_by_folder().items() if count > LARGEST_FOLDER
    }
    assert large == {}
