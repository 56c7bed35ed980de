"""Does the images of a job on a Ray cluster: actors hold the model, Ray restarts what dies.

Every machine must see the job's folder and the images at the same paths.
"""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from ..utils.wording import to_install
from .job import Job
from .run import Annotate, Engine, Todo, label_images

# Images of a batch, fewer where workers would have less than MIN_BATCHES each. What a batch has
# done stays when its worker dies; progress is counted by batches.
BATCH_SIZE, MIN_BATCHES = 100, 4


class Labeller:
    """What an actor does with a batch.

    Args:
        folder: Of the job.
        todo: A reference to all that is to be done.
        make_annotate: Called once in each actor; gives what makes the record of an image file.
        here: The driver's working folder, from which paths may count.
        environment: Variables that its programs may read.
    """

    def __init__(
        self,
        folder: Path,
        todo: list,
        make_annotate: Callable[[Job], Annotate],
        here: str,
        environment: dict[str, str],
    ) -> None:
        import ray

        os.environ.update(environment)
        os.chdir(here)
        self._job = Job(folder)
        self._todo: Todo = ray.get(todo[0])
        self._annotate = make_annotate(self._job)

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, list[str]]:
        """Label the images whose numbers in the list of what is to be done are in ``batch``.

        Gives one row, whose column ``said`` holds JSON: how many images were done, lines to say,
        and what is wrong with the disk, or null.
        """
        count, lines, fault = 0, [], None
        try:
            todo = self._todo._replace(places=self._todo.places[batch['id']])
            for done, more in label_images(self._job, todo, self._annotate):
                count += done
                lines += more
        except OSError as error:
            place = error.filename and str(error.filename)
            fault = [error.errno, error.strerror, place] if error.errno else [str(error)]
        except Exception:
            # A process whose GPU is in an unknown state is worth nothing: a new one goes on.
            traceback.print_exc()
            os._exit(1)
        return {'said': [json.dumps([count, lines, fault])]}


def on_ray(
    make_annotate: Callable[[Job], Annotate],
    address: str = 'local',
    workers: int | None = None,
    device: str | None = None,
) -> Engine:
    """An engine that does images on a Ray cluster.

    Args:
        make_annotate: See :class:`Labeller`; what pickle can hold.
        address: Of a running cluster, ``HOST:PORT`` or ``auto``; ``local`` starts one here.
        workers: Processes with a model each; one for each GPU, or CPU where there is no GPU, if
            not given.
        device: ``cpu`` leaves GPUs alone.

    Raises:
        ImportError: Ray is not installed.
        ValueError: ``workers`` is not positive.
    """
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ImportError(f'Ray is not installed {to_install(error, "ray")}') from error
    if workers is not None and workers < 1:
        raise ValueError(f'the number of workers must be positive; got {workers}')

    def engine(job: Job, todo: Todo) -> Iterator[tuple[int, list[str]]]:
        ray.init(address=address, logging_level='warning')
        logging.getLogger('ray.data').setLevel(logging.WARNING)
        try:
            ray.data.DataContext.get_current().enable_progress_bars = False
            resources = ray.cluster_resources()
            gpus = 0 if device == 'cpu' else int(resources.get('GPU', 0))
            count = workers or gpus or int(resources['CPU'])
            images = len(todo.places)
            size = max(1, min(BATCH_SIZE, images // (MIN_BATCHES * count)))
            rows = ray.data.range(images, override_num_blocks=-(-images // size)).map_batches(
                Labeller,
                fn_constructor_args=(
                    job.folder.absolute(),
                    [ray.put(todo)],
                    make_annotate,
                    os.getcwd(),
                    {
                        key: value
                        for key, value in os.environ.items()
                        if key.startswith(('OVSAM_', 'HF_', 'TORCH_HOME'))
                    },
                ),
                batch_size=None,  # a block is a batch
                compute=ray.data.ActorPoolStrategy(size=count),
                num_cpus=1,
                num_gpus=1 if gpus else 0,
            )
            for row in rows.iter_rows():
                done, lines, fault = json.loads(row['said'])
                yield done, lines
                if fault:
                    raise OSError(*fault)
        finally:
            ray.shutdown()

    return engine
