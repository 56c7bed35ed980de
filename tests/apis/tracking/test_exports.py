"""Tracks in COCO's and CVAT's formats lead back to the masks."""

import json
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from pycocotools import mask as mask_utils

from ovsam.apis import Followed, Prediction
from ovsam.apis.tracking.exports import frame_record, write_coco_tracks, write_cvat_tracks


def at(number, *places):
    """A frame with a square at each place; None where an object is lost."""
    masks = np.zeros((len(places), 20, 30), bool)
    for mask, place in zip(masks, places):
        if place is not None:
            mask[place : place + 5, 2:9] = True
    lost = np.array([place is None for place in places])
    found = Prediction(masks, np.zeros((len(places), 4), np.float32), labels=['cat', 'dog'])
    return Followed(number, np.zeros((20, 30, 3), np.uint8), found, lost)


@pytest.fixture
def records():
    frames = [at(0, 1, 9), at(1, None, 10), at(2, None, 11), at(3, 4, None)]
    return [frame_record(frame, f'{frame.number}.png') for frame in frames]


def test_nothing_was_found(tmp_path):
    records = [frame_record(at(0, None, None), '0.png')]
    write_coco_tracks(tmp_path / 'coco.json', records, ['cat'], 'film', None)
    write_cvat_tracks(tmp_path / 'cvat.xml', records)
    coco = json.loads((tmp_path / 'coco.json').read_text())
    assert coco['annotations'] == [] and coco['videos'] == [{'id': 1, 'name': 'film', 'length': 1}]
    assert ElementTree.parse(tmp_path / 'cvat.xml').findall('track') == []


def test_coco(records, tmp_path):
    write_coco_tracks(tmp_path / 'coco.json', records, ['cat', 'dog'], 'film.mp4', 25.0)
    coco = json.loads((tmp_path / 'coco.json').read_text())
    assert coco['videos'] == [{'id': 1, 'name': 'film.mp4', 'length': 4, 'fps': 25.0}]
    assert [(image['frame_id'], image['video_id']) for image in coco['images']] == [
        (number, 1) for number in range(4)
    ]
    rows = [(row['image_id'], row['track_id'], row['category_id']) for row in coco['annotations']]
    assert rows == [(1, 1, 1), (1, 2, 2), (2, 2, 2), (3, 2, 2), (4, 1, 1)]


def test_cvat(records, tmp_path):
    write_cvat_tracks(tmp_path / 'cvat.xml', records)
    root = ElementTree.parse(tmp_path / 'cvat.xml').getroot()
    assert (root.tag, root.findtext('version')) == ('annotations', '1.1')
    task = root.find('meta/task')
    assert (task.findtext('size'), task.findtext('mode')) == ('4', 'interpolation')
    assert [name.text for name in task.iterfind('labels/label/name')] == ['cat', 'dog']
    assert task.findtext('original_size/width') == '30'
    cat, dog = root.findall('track')
    assert [(track.get('id'), track.get('label')) for track in (cat, dog)] == [
        ('0', 'cat'),
        ('1', 'dog'),
    ]
    # Outside once, from when on it is lost.
    said = [
        [(polygon.get('frame'), polygon.get('outside')) for polygon in track]
        for track in (cat, dog)
    ]
    assert said == [
        [('0', '0'), ('1', '1'), ('3', '0')],
        [('0', '0'), ('1', '0'), ('2', '0'), ('3', '1')],
    ]


def test_polygons_of_cvat_give_the_masks_back(records, tmp_path):
    write_cvat_tracks(tmp_path / 'cvat.xml', records)
    dog = ElementTree.parse(tmp_path / 'cvat.xml').findall('track')[1]
    for polygon, record in zip(dog, records[:3]):
        points = [part.split(',') for part in polygon.get('points').split(';')]
        mask = np.zeros((20, 30), np.uint8)
        cv2.fillPoly(mask, [np.array(points, float).astype(np.int32)], 1)
        segmentation = record['annotations'][-1]['segmentation']
        assert (mask == mask_utils.decode(segmentation)).all()
