"""Tracks in the formats of other programs: COCO with ``track_id``, and CVAT's for videos.

Both take records, one for each frame, in what :func:`~..coco_file.write_coco` calls a record:
``frame_id`` counts frames from 0, and annotations have the ``track_id`` of their object, from 1. An
object that is lost in a frame has no annotation there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from pycocotools import mask as mask_utils

from ...masks.polygons import join_polygons, mask_polygons
from ...utils.files import write_whole
from ..coco_file import write_coco
from ..prediction import UNNAMED
from .follow import Followed


def frame_record(followed: Followed, file_name: str) -> dict:
    """What was found in a frame, in COCO's form."""
    height, width = followed.found.masks.shape[1:]
    annotations = [
        {**annotation, 'track_id': track, 'video_id': 1}
        for track, annotation in enumerate(followed.found.to_coco(), 1)
        if not followed.lost[track - 1]
    ]
    return {
        'id': followed.number + 1,
        'video_id': 1,
        'frame_id': followed.number,
        'file_name': file_name,
        'height': height,
        'width': width,
        'annotations': annotations,
    }


def write_coco_tracks(
    path: Path, records: Sequence[dict], names: Sequence[str], film: str, rate: float | None
) -> None:
    """The records of all frames as a COCO file like COCO-VID's, with the film under ``videos``.

    ``names`` are what objects may be called, see :func:`~..coco_file.write_coco`; ``rate`` is in
    frames a second, and left out if None.
    """
    video = {'id': 1, 'name': film, 'length': len(records)}
    write_coco(
        path, records, names, {'videos': [video if rate is None else {**video, 'fps': rate}]}
    )


def write_cvat_tracks(path: Path, records: Sequence[dict]) -> None:
    """A file of the format "CVAT for video 1.1": a polygon in each frame, all of them key frames.

    A film has at least one frame, whose size the file tells. CVAT's tracks have one polygon in a
    frame: the parts of a mask are joined by cuts of no width. Where an object is lost, its last
    polygon says ``outside="1"``.
    """
    tracks: dict[int, ElementTree.Element] = {}
    for record in records:
        seen = {annotation['track_id']: annotation for annotation in record['annotations']}
        for number, annotation in seen.items():
            if number not in tracks:
                label = annotation.get('category_name', UNNAMED)
                tracks[number] = ElementTree.Element(
                    'track', id=str(number - 1), label=label, source='auto'
                )
            _add_polygon(tracks[number], record['frame_id'], _points(annotation['segmentation']))
        for number, track in tracks.items():
            if number not in seen and track[-1].get('outside') == '0':
                _add_polygon(track, record['frame_id'], track[-1].get('points', ''), outside='1')
    root = ElementTree.Element('annotations')
    ElementTree.SubElement(root, 'version').text = '1.1'
    root.append(_meta(records, [track.get('label', '') for track in tracks.values()]))
    root.extend(tracks[number] for number in sorted(tracks))
    ElementTree.indent(root)
    write_whole(path, ElementTree.tostring(root, encoding='utf-8', xml_declaration=True))


def _meta(records: Sequence[dict], labels: Sequence[str]) -> ElementTree.Element:
    meta = ElementTree.Element('meta')
    task = ElementTree.SubElement(meta, 'task')
    ElementTree.SubElement(task, 'size').text = str(len(records))
    ElementTree.SubElement(task, 'mode').text = 'interpolation'
    names = ElementTree.SubElement(task, 'labels')
    for label in dict.fromkeys(labels):
        ElementTree.SubElement(ElementTree.SubElement(names, 'label'), 'name').text = label
    size = ElementTree.SubElement(task, 'original_size')
    for side in ('width', 'height'):
        ElementTree.SubElement(size, side).text = str(records[0][side])
    return meta


def _points(segmentation: dict) -> str:
    """CVAT's polygon of a mask as compressed RLE."""
    polygon = join_polygons(mask_polygons(np.asarray(mask_utils.decode(segmentation), bool)))
    return ';'.join(f'{x:.1f},{y:.1f}' for x, y in polygon)


def _add_polygon(track: ElementTree.Element, frame: int, points: str, outside: str = '0') -> None:
    ElementTree.SubElement(
        track,
        'polygon',
        frame=str(frame),
        keyframe='1',
        outside=outside,
        occluded='0',
        points=points,
        z_order='0',
    )
