"""A record keeps an embedding in 8 bits and is recognised if it is damaged or of something else."""

import pickle

import numpy as np
import pytest
import safetensors.torch
import torch

from ovsam.datasets.teacher_features import (
    VIEW_TOLERANCE,
    DamagedFeaturesError,
    ForeignFeaturesError,
    TeacherFeatures,
    image_name,
)

TEACHER = dict(type='SAMImageEncoder', config='c0', weights='a1')


def picture(seed=0, size=(64, 48)):
    """A smooth normalised input, as pictures are."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn(1, 3, 4, 4, generator=generator)
    return torch.nn.functional.interpolate(coarse, size, mode='bilinear')[0]


def features(embedding=None, image='sa_000000/sa_1.jpg', seed=0):
    embedding = torch.randn(8, 6, 5) if embedding is None else embedding
    return TeacherFeatures.of(embedding, picture(seed), image, TEACHER)


def test_at_most_half_a_step_is_lost():
    embedding = torch.randn(16, 9, 7) * torch.logspace(-6, 4, 16)[:, None, None] - 3
    error = (features(embedding).embedding() - embedding).abs().flatten(1).amax(1)
    step = (embedding.flatten(1).amax(1) - embedding.flatten(1).amin(1)) / 255
    # Beside the half step there is float32's own rounding.
    assert (error <= step / 2 + embedding.flatten(1).abs().amax(1) * 3e-7).all()


@pytest.mark.parametrize('value', [0.0, -7.25, 1e-30])
def test_constant_channels_are_exact(value):
    embedding = torch.full((2, 4, 4), value)
    assert torch.equal(features(embedding).embedding(), embedding)


def test_size_and_error_at_paper_scale():
    """SAM's neck ends in a layer norm, so each place has mean 0 and deviation 1 over channels."""
    torch.manual_seed(0)
    embedding = torch.nn.functional.layer_norm(torch.randn(64, 64, 256), (256,)).permute(2, 0, 1)
    picture, name = torch.zeros(3, 1024, 1024), 'sa_000000/sa_223750.jpg'
    teacher = dict(TEACHER, config='0' * 16, weights='0' * 16)  # as long as those of a file
    record = TeacherFeatures.of(embedding, picture, name, teacher)
    assert len(record.to_bytes()) == 1_052_744
    assert (record.embedding() - embedding).square().mean() == pytest.approx(6.6e-5, abs=5e-7)


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_embeddings_that_are_not_finite_are_refused(value):
    embedding = torch.zeros(2, 4, 4)
    embedding[1, 2, 3] = value
    with pytest.raises(ValueError, match=r'embedding of sa_000000/sa_1\.jpg is not finite'):
        features(embedding)


def test_bytes_and_back():
    record = features()
    again = TeacherFeatures.from_bytes(record.to_bytes())
    assert again.metainfo == record.metainfo
    assert again.input_shape == (64, 48) and again.teacher == TEACHER
    assert torch.equal(again.embedding(), record.embedding())
    again.check_teacher(TEACHER)
    again.check_input(picture())


def test_data_loaders_and_devices_keep_it_whole():
    record = pickle.loads(pickle.dumps(features())).to('cpu')
    assert type(record) is TeacherFeatures and record.image == 'sa_000000/sa_1.jpg'
    assert record.codes.dtype == torch.uint8


@pytest.mark.parametrize('length', [0, 5, 60, 700, -1])
def test_truncated(length):
    content = features().to_bytes()
    with pytest.raises(DamagedFeaturesError, match='truncated'):
        TeacherFeatures.from_bytes(content[:length])


@pytest.mark.parametrize('place', [-1, -400, 'sa_1.jpg', 'a1'])
def test_one_changed_byte(place):
    content = bytearray(features().to_bytes())
    place = place if isinstance(place, int) else content.index(place.encode())
    content[place] ^= 1
    with pytest.raises(DamagedFeaturesError, match='checksum'):
        TeacherFeatures.from_bytes(bytes(content))


def test_other_files():
    with pytest.raises(DamagedFeaturesError):
        TeacherFeatures.from_bytes(pickle.dumps([1]) * 40)
    other = safetensors.torch.save({'codes': torch.zeros(2)}, {'format': 'features 0'})
    with pytest.raises(ForeignFeaturesError, match="format 'features 0'"):
        TeacherFeatures.from_bytes(other)
    with pytest.raises(ForeignFeaturesError, match='format None'):
        TeacherFeatures.from_bytes(safetensors.torch.save({'codes': torch.zeros(2)}))


@pytest.mark.parametrize('key', TEACHER)
def test_another_teacher(key):
    with pytest.raises(ForeignFeaturesError, match=f'expected .*{key} other'):
        features().check_teacher({**TEACHER, key: 'other'})


@pytest.mark.parametrize(
    'other',
    [
        picture(1),
        picture().flip(-1),
        picture().roll(8, dims=-1),
        picture() * 1.3,
        picture() + 2 * VIEW_TOLERANCE,
        picture().flip(0),
        picture() * torch.nan,
    ],
    ids=['picture', 'flipped', 'shifted', 'contrast', 'brightness', 'BGR', 'nan'],
)
def test_another_input(other):
    with pytest.raises(ForeignFeaturesError, match='of another input'):
        features().check_input(other)


def test_another_size_of_the_input():
    with pytest.raises(ForeignFeaturesError, match=r'\(64, 48\) pixels; expected \(64, 64\)'):
        features().check_input(picture(size=(64, 64)))


def test_what_decoders_of_jpeg_differ_by_is_no_other_input():
    grey_level = 1 / 57
    noise = torch.from_numpy(np.random.default_rng(0).choice([-1, 0, 1], (3, 64, 48))).float()
    features().check_input(picture() + grey_level * noise)


@pytest.mark.parametrize(
    'path, name',
    [
        ('data/sa1b/sa_000000/sa_1.jpg', 'sa_000000/sa_1.jpg'),
        ('/other/place/sa_000000/sa_1.jpg', 'sa_000000/sa_1.jpg'),
        ('s3://bucket/sa_000000/sa_1.jpg', 'sa_000000/sa_1.jpg'),
        (r'C:\data\train\1.png', 'train/1.png'),
        ('1.png', '1.png'),
        ('caf\udce9/1.png', 'caf\\udce9/1.png'),
    ],
)
def test_names_do_not_depend_on_where_the_data_lies(path, name):
    assert image_name(path) == name
