"""One COCO file of everything, in little memory."""

import json
import tracemalloc

import pytest
from pycocotools.coco import COCO

from ovsam.bulk import merge, run_job
from ovsam.bulk.merge import Summary
from ovsam.bulk.shares import part_path


def test_of_no_results(bench):
    for path in bench.photos.iterdir():
        path.write_text('broken')
    job = bench.begin()
    run_job(job, bench.claims(), lambda file: {'error': 'x'}, bench.source)
    assert bench.coco()['images'] == bench.coco()['annotations'] == []
    assert Summary.read(bench.out) == Summary(left_out=10)


def test_pycocotools_reads_it(bench, annotate):
    job = bench.begin()
    run_job(job, bench.claims(), annotate, bench.source)
    coco = COCO(str(bench.out / 'coco.json'))
    assert len(coco.imgs) == 8 and len(coco.anns) == 14 and len(coco.cats) == 3
    assert coco.annToMask(coco.anns[1]).shape == (8, 9)


def test_memory_does_not_grow_with_the_job(bench):
    """Ten thousand annotations of 400 bytes, where one share has 4 MB."""
    job = bench.begin(share_size=1)
    segmentation = {'size': [9, 9], 'counts': 'a2' + '0' * 298}
    annotation = {'category_name': 'cat', 'segmentation': segmentation}
    for number in range(10):
        record = {'id': number + 1, 'file_name': 'x', 'height': 9, 'width': 9}
        lines = [
            {'job': job.digest, 'share': number, 'images': 1},
            {**record, 'annotations': [annotation] * 1000},
        ]
        path = part_path(bench.out, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(''.join(json.dumps(line) + '\n' for line in lines))
    tracemalloc.start()
    try:
        assert merge(job).annotations == 10_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < (bench.out / 'coco.json').stat().st_size / 2


def test_masks_that_suffered_on_disk_are_not_merged(bench, annotate):
    job = bench.begin()
    run_job(job, bench.claims(), annotate, bench.source)
    part = part_path(bench.out, 0)
    part.write_text(part.read_text().replace('08P2', '08P', 1))
    with pytest.raises(ValueError, match=r'annotations\[0\] of image 1 has a mask.*delete'):
        merge(job)
