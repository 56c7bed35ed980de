"""Several conversions in one file: what was learned, or all of it."""

import pytest
import torch

from ovsam.checkpoints.conversion import Conversion, from_published, to_published
from ovsam.checkpoints.converted_file import (
    FROZEN,
    KEPT_APART,
    REPLACED,
    merge,
    read_converted,
    report,
    write_converted,
    write_published,
)
from ovsam.checkpoints.loading import read_state_dict

LABEL_MLP = 'mask_decoder.label_mlp.layers.0.weight'


@pytest.fixture
def conversions(published):
    def convert(*kinds):
        return {f'{kind}.pth': from_published(published[kind]) for kind in kinds}

    return convert


def parts(state):
    return {key.split('.')[0] for key in state}


def test_nothing(tmp_path):
    assert merge({}) == {}
    assert report(Conversion('nothing')) == ''


def test_frozen_parts_are_left_out_beside_learned_ones(conversions):
    files = conversions('sam', 'clip', 'sam2clip', 'clip2sam')
    assert parts(merge(files)) == {'neck', 'label_head', 'mask_decoder'}
    assert set(files['clip.pth'].dropped.values()) == {FROZEN}
    assert set(files['sam.pth'].dropped.values()) == {FROZEN, REPLACED}
    assert not any(file.missed for file in files.values())


def test_frozen_parts_alone_are_kept(conversions):
    assert parts(merge(conversions('clip', 'sam'))) == {
        'clip',
        'image_encoder',
        'prompt_encoder',
        'mask_decoder',
    }


def test_all_parts(conversions):
    state = merge(conversions('sam', 'clip', 'ovsam'), keep_all=True)
    assert parts(state) == {
        'clip',
        'image_encoder',
        'prompt_encoder',
        'mask_decoder',
        'neck',
        'label_head',
    }
    # The decoder is CLIP2SAM's.
    assert len(state['mask_decoder.mask_tokens.weight']) == 1


def test_the_same_part_twice(conversions):
    with pytest.raises(ValueError, match='both sam2clip.pth and ovsam.pth hold the SAM2CLIP ad'):
        merge(conversions('sam2clip', 'ovsam'))


def test_files(tmp_path, published, conversions):
    path = tmp_path / 'new' / 'ovsam.pth'
    write_converted(path, conversions('sam2clip', 'clip2sam'))
    content = torch.load(path, weights_only=True)
    assert content.keys() == {'meta', 'state_dict'}
    assert content['meta']['converted_from'][0] == {
        'file': 'sam2clip.pth',
        'kind': 'a published SAM2CLIP checkpoint',
    }
    assert read_converted(path)[1] == {}
    files = conversions('sam2clip', 'clip2sam')
    write_converted(path, files, keep_all=True)
    assert files['clip2sam.pth'].dropped == {LABEL_MLP: KEPT_APART}
    state, unused = read_converted(path)
    assert unused.keys() == {LABEL_MLP}
    write_published(tmp_path / 'back.pth', to_published(state, unused))
    back = torch.load(tmp_path / 'back.pth', weights_only=True)['state_dict']
    assert back.keys() == published['ovsam'].keys()
    assert all(torch.equal(back[key], value) for key, value in published['ovsam'].items())
    assert sorted(entry.name for entry in tmp_path.rglob('*')) == ['back.pth', 'new', 'ovsam.pth']


def test_published_sam_and_clip_are_bare(tmp_path, conversions, published):
    for kind in ('sam', 'clip'):
        state = merge(conversions(kind))
        write_published(tmp_path / f'{kind}.pth', to_published(state))
        assert (
            torch.load(tmp_path / f'{kind}.pth', weights_only=True).keys() == published[kind].keys()
        )


def test_a_view_does_not_save_what_it_is_a_view_of(tmp_path):
    large = torch.zeros(100_000)
    write_converted(tmp_path / 'a.pth', {'a': Conversion('', {'neck.a': large[:3]})})
    assert (tmp_path / 'a.pth').stat().st_size < 10_000
    assert read_state_dict(str(tmp_path / 'a.pth'))['neck.a'].shape == (3,)


def test_report(conversions):
    files = conversions('clip2sam')
    merge(files)
    lines = report(files['clip2sam.pth']).splitlines()
    assert 'used     fpn_neck.* as label_head.* (16)' in lines
    assert 'used     mask_decoder.label_token.* (1)' in lines
    assert lines[-2:] == [
        'dropped  mask_decoder.label_mlp.* (1): never used by the published model',
        'missed   the SAM2CLIP adapter (neck.*)',
    ]
    every = report(files['clip2sam.pth'], every_key=True).splitlines()
    assert 'used     mask_decoder.roi_conv.0.conv.weight as label_head.projection.weight' in every
    assert f'dropped  {LABEL_MLP}: never used by the published model' in every
    assert 'missed   mask_decoder.label_mlp.*' in report(
        to_published(files['clip2sam.pth'].state_dict)
    )
