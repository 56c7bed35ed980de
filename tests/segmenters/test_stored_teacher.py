"""A stored teacher gives what the encoder gave, for the same images and weights or not at all."""

import copy

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample

from ovsam.datasets.teacher_features import ForeignFeaturesError, TeacherFeatures
from ovsam.segmenters.stored_teacher import StoredTeacher, teacher_identity


@pytest.fixture
def encoder(tmp_path, save_teacher):
    return save_teacher(tmp_path / 'sam.pth')


@pytest.fixture
def batch(encoder):
    """Two inputs, their embeddings, and samples with the records of these."""
    model = MODELS.build(encoder)
    model.init_weights()
    inputs = torch.nn.functional.interpolate(torch.randn(2, 3, 4, 4), (32, 32))
    with torch.no_grad():
        embeddings = model.eval()(inputs)
    identity = teacher_identity(encoder)
    samples = [
        DetDataSample(teacher_features=TeacherFeatures.of(embedding, image, f'a/{row}', identity))
        for row, (embedding, image) in enumerate(zip(embeddings, inputs))
    ]
    return inputs, embeddings, samples


def test_nothing_is_built_or_learned(encoder):
    teacher = MODELS.build(dict(type='StoredTeacher', encoder=encoder))
    teacher.init_weights()
    assert not list(teacher.parameters()) and not teacher.state_dict()


def test_what_the_encoder_gave(encoder, batch):
    inputs, embeddings, samples = batch
    stored = StoredTeacher(encoder)(inputs, samples)
    assert stored.shape == embeddings.shape
    torch.testing.assert_close(stored, embeddings, atol=0.02, rtol=0)


def test_samples_without_features(encoder, batch):
    with pytest.raises(ValueError, match='LoadTeacherFeatures'):
        StoredTeacher(encoder)(batch[0], [DetDataSample(), DetDataSample()])


@pytest.mark.parametrize('change', [lambda x: x.flip(-1), lambda x: x.flip(0), lambda x: x + 1])
def test_inputs_that_the_encoder_did_not_see(encoder, batch, change):
    inputs, _, samples = batch
    with pytest.raises(
        ForeignFeaturesError,
        match='features of a/[01] are of another input.*dump_sam_features.py --verify',
    ):
        StoredTeacher(encoder)(change(inputs), samples)


def test_another_encoder(tmp_path, encoder, batch, save_teacher):
    inputs, _, samples = batch
    for other in (save_teacher(tmp_path / 'other.pth', seed=1), {**encoder, 'window_size': 1}):
        with pytest.raises(ForeignFeaturesError, match='features of a/0 are of another teacher'):
            StoredTeacher(other)(inputs, samples)


def test_identity(tmp_path, encoder):
    """It is of the weights and the settings, not of the file's place or other parts in it."""

    def of(name, **changes):
        checkpoint = dict(encoder['init_cfg'], checkpoint=str(tmp_path / name))
        return teacher_identity({**encoder, 'init_cfg': checkpoint, **changes})

    identity = teacher_identity(encoder)
    assert identity['type'] == 'SAMImageEncoder' and len(identity['weights']) == 16
    weights = torch.load(tmp_path / 'sam.pth', weights_only=True)
    torch.save({'state_dict': {**weights, 'mask_decoder.x': torch.ones(1)}}, tmp_path / 'b.pth')
    assert of('b.pth') == identity
    weights['image_encoder.pos_embed'] = weights['image_encoder.pos_embed'] + 1e-6
    torch.save(weights, tmp_path / 'c.pth')
    other = of('c.pth')
    assert other['weights'] != identity['weights'] and other['config'] == identity['config']
    other = of('sam.pth', patch_size=8)
    assert other['weights'] == identity['weights'] and other['config'] != identity['config']


def test_encoders_without_weights_have_no_identity(encoder):
    for init_cfg in (None, [encoder['init_cfg']], dict(type='Constant')):
        with pytest.raises(ValueError, match='random weights teach nothing'):
            teacher_identity({**encoder, 'init_cfg': init_cfg})
    config = copy.deepcopy(encoder)
    config['init_cfg']['prefix'] = 'visual.'
    with pytest.raises(ValueError, match="no weights with the prefix 'visual.'"):
        teacher_identity(config)
    config['init_cfg']['checkpoint'] = 'nowhere.pth'
    with pytest.raises(FileNotFoundError, match='nowhere.pth'):
        teacher_identity(config)
