"""Requests to a model whose masks are known: masks, names, one encoding, several at once."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ovsam.apis import OVSAMPredictor
from ovsam.serving.annotator import Annotator
from ovsam.serving.label_studio.backend import LabelStudioBackend
from ovsam.serving.shared_model import SharedModel

ALL = dict(points_per_side=8, pred_iou_thresh=0.0, stability_score_thresh=0.0)


class Pictures(dict):
    """Pictures by what tasks call them."""

    def __init__(self, **pictures):
        super().__init__(pictures)
        self.reads = 0

    def picture(self, reference):
        return reference, lambda: self.read(reference)

    def read(self, reference):
        self.reads += 1
        return self[reference]


def request(config, *references, regions=None):
    tasks = [{'id': number, 'data': {'picture': name}} for number, name in enumerate(references)]
    context = None if regions is None else {'result': regions}
    return {'tasks': tasks, 'label_config': config, 'params': {'context': context}}


@pytest.fixture
def pictures(scene):
    image, _ = scene
    return Pictures(a=image, b=image[::-1].copy())


@pytest.fixture
def backend(colour_model, pictures):
    return LabelStudioBackend(
        Annotator(SharedModel(colour_model), everything=ALL), pictures, everything=True
    )


def test_no_tasks_and_no_prompts_get_nothing(backend, config):
    assert backend.predict(request(config))['results'] == []
    (answer,) = backend.predict(request(config, 'a', regions=[]))['results']
    assert (answer['result'], answer['score']) == ([], 0)
    assert answer['model_version'] == backend.model_version
    quiet = LabelStudioBackend(backend._annotator, backend._images)
    assert [each['result'] for each in quiet.predict(request(config, 'a', 'b'))['results']] == [
        [],
        [],
    ]


def test_a_click_gives_a_named_mask(backend, config, keypoint, scene, mask_of):
    image, _ = scene
    (answer,) = backend.predict(request(config, 'a', regions=[keypoint(50, 40)]))['results']
    (region,) = answer['result']
    assert (mask_of(region) == (image == image[40, 50]).all(axis=2)).mean() > 0.99
    assert (region['from_name'], region['to_name'], region['type']) == (
        'brush',
        'image',
        'brushlabels',
    )
    assert region['value']['format'] == 'rle' and region['image_rotation'] == 0
    expected = OVSAMPredictor(backend._annotator.predictor(None).model)
    expected.set_image(image)
    expected.set_vocabulary(['cat', 'dog', 'umbrella'])
    found = expected.predict([[50, 40]])
    assert region['value']['brushlabels'] == [
        'U' if found.labels[0] == 'umbrella' else found.labels[0]
    ]
    assert region['score'] == answer['score'] == pytest.approx(float(found.label_scores[0]))


def test_prompts_are_the_predictors_in_pixels_of_a_wide_image(
    model, config, keypoint, rectangle, mask_of
):
    image = np.random.default_rng(0).integers(0, 255, (60, 200, 3), dtype=np.uint8)
    backend = LabelStudioBackend(Annotator(SharedModel(model)), Pictures(a=image))
    regions = [
        keypoint(150, 20, size=(60, 200)),
        keypoint(100, 50, False, size=(60, 200)),
        rectangle(90, 10, 190, 55, size=(60, 200)),
    ]
    predictor = OVSAMPredictor(model)
    predictor.set_image(image)
    for part, prompt in (
        (regions[:1], dict(point_coords=[[150, 20]])),
        (regions[2:], dict(boxes=[90, 10, 190, 55])),
        (
            regions,
            dict(point_coords=[[150, 20], [100, 50]], point_labels=[1, 0], boxes=[90, 10, 190, 55]),
        ),
    ):
        (answer,) = backend.predict(request(config, 'a', regions=part))['results']
        found = predictor.predict(**prompt)
        masks = [mask_of(region) for region in answer['result']]
        assert len(masks) == int(found.masks.any()) and all(
            (mask == found.masks[0]).all() for mask in masks
        )


def test_an_image_is_encoded_once_while_it_is_kept(colour_model, pictures, config, keypoint):
    backend = LabelStudioBackend(Annotator(SharedModel(colour_model), images=1), pictures)
    for x in (50, 120, 180):
        backend.predict(request(config, 'a', regions=[keypoint(x, 40)]))
    other = config.replace('value="dog"', 'value="sun"')
    backend.predict(request(other, 'a', regions=[keypoint(50, 40)]))
    assert (colour_model.calls['images'], pictures.reads) == (1, 1)
    for name in 'ba':
        backend.predict(request(config, name, regions=[keypoint(50, 40)]))
    assert (colour_model.calls['images'], pictures.reads) == (3, 3)


def test_names_are_the_projects_or_of_a_larger_vocabulary(colour_model, pictures, config, keypoint):
    click = request(config, 'a', regions=[keypoint(50, 40)])
    model = SharedModel(colour_model, vocabulary=['sun', 'Dog', 'moon', 'cat', 'tree'])
    backend = LabelStudioBackend(Annotator(model), pictures, own_vocabulary=True)
    (region,) = backend.predict(click)['results'][0]['result']
    assert backend.setup({'schema': config}) == {'model_version': backend.model_version}
    predictor = OVSAMPredictor(colour_model)
    predictor.set_image(pictures['a'])
    predictor.set_vocabulary(['sun', 'Dog', 'moon', 'cat', 'tree'])
    found = predictor.predict([[50, 40]])
    scores = dict(zip(found.top_names[0], found.top_scores[0]))
    name = max(('cat', 'Dog'), key=scores.get)
    assert region['value']['brushlabels'] == [name.lower()]
    assert region['score'] == pytest.approx(float(scores[name]))
    with pytest.raises(ValueError, match='none of the 1 labels of "brush" is in the vocabulary'):
        backend.setup(
            {
                'schema': config.replace('<Label value="cat" background="red"/>', '').replace(
                    '<Label value="dog"/>', ''
                )
            }
        )


def test_everything_is_a_prediction_for_each_task(backend, config, mask_of, scene):
    image, boxes = scene
    first, second = backend.predict(request(config, 'a', 'b'))['results']
    for answer, picture in ((first, image), (second, image[::-1])):
        masks = [mask_of(region) for region in answer['result']]
        for colour in {tuple(picture[y, x]) for y in range(0, 256, 8) for x in range(0, 256, 8)}:
            true = (picture == colour).all(axis=2)
            assert any((mask == true).mean() > 0.99 for mask in masks), colour
        assert 0 <= answer['score'] <= 1
    assert len(boxes) == 3


def test_requests_at_once_do_not_mix(backend, config, keypoint):
    other = config.replace('"cat"', '"sun"').replace('"dog"', '"moon"')
    asked = [
        request(text, name, regions=[keypoint(x, y)])
        for text in (config, other)
        for name in 'ab'
        for x, y in ((50, 40), (150, 150))
    ]

    def answer(each):
        (found,) = backend.predict(each)['results']
        return [{**region, 'id': None} for region in found['result']]

    alone = [answer(each) for each in asked]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(answer, asked * 3)) == alone * 3


@pytest.mark.parametrize(
    'change, said',
    [
        ({'tasks': None}, 'list of tasks'),
        ({'tasks': ['a']}, 'list of tasks'),
        ({'tasks': [{'id': 1}]}, 'list of tasks'),
        ({'tasks': [{'data': {'picture': 'a'}}] * 2}, 'one task; got 2'),
        ({'tasks': [{'data': {'image': 'a'}}]}, 'no image under "picture"'),
        ({'label_config': '<View/>'}, 'no <BrushLabels>'),
        ({'params': {'context': ['x']}}, 'list of regions'),
        ({'params': {'context': {'result': 3}}}, 'list of regions'),
        (
            {'params': {'context': {'result': [{'type': 'choices', 'to_name': 'image'}]}}},
            'choices cannot be prompts',
        ),
        (
            {'params': {'context': {'result': [{'type': 'keypointlabels', 'to_name': 'other'}]}}},
            'for the image "other"',
        ),
    ],
)
def test_bad_requests_change_nothing(backend, config, keypoint, change, said):
    good = request(config, 'a', regions=[keypoint(50, 40)])
    before = backend.predict(good)['results'][0]['score']
    with pytest.raises(ValueError, match=said):
        backend.predict({**good, **change})
    assert backend.predict(good)['results'][0]['score'] == before


def test_a_model_must_name(model, pictures, monkeypatch):
    model = SharedModel(model)
    monkeypatch.setattr(SharedModel, 'vocabulary', None)
    with pytest.raises(ValueError, match='without names'):
        LabelStudioBackend(Annotator(model), pictures)


def test_labels_that_are_one_name_are_refused_unless_one_is_the_vocabularys(
    colour_model, pictures, config
):
    model = SharedModel(colour_model, vocabulary=['sea lion', 'cat'])
    backend = LabelStudioBackend(Annotator(model), pictures, own_vocabulary=True)
    several = config.replace('"dog"', '"Sea_Lion"').replace('"umbrella" alias="U"', '"{}"')
    backend.setup({'schema': several.format('sea lion')})
    with pytest.raises(ValueError, match='Sea_Lion and SEA LION are all "sea lion". Call one'):
        backend.setup({'schema': several.format('SEA LION')})


def test_a_picture_that_is_gone_costs_no_other_task(backend, config, pictures, monkeypatch, caplog):
    def read(reference):
        if reference != 'a':
            raise {'b': FileNotFoundError, 'c': ConnectionError}[reference](f'no {reference}')
        return pictures[reference]

    monkeypatch.setattr(pictures, 'read', read)
    one, other = backend.predict(request(config, 'b', 'a'))['results']
    assert one['result'] == [] and one['error'] == 'no b' and other['result']
    with pytest.raises(FileNotFoundError):
        asked = request(config, 'b')
        asked['tasks'][0]['id'] = 'b\nforged line'
        backend.predict(asked)
    assert 'forged line' in caplog.messages[-1] and '\n' not in caplog.messages[-1]
    with pytest.raises(ConnectionError):
        backend.predict(request(config, 'a', 'c'))
