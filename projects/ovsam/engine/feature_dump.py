"""Runs SAM's image encoder once over a data set and stores what it gives."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from mmdet.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset
from tqdm import tqdm

from ..apis.init_model import choose_device, init_model
from ..datasets.feature_store import FeatureStore
from ..datasets.teacher_features import (
    DamagedFeaturesError,
    ForeignFeaturesError,
    TeacherFeatures,
    image_name,
    image_names,
)
from ..segmenters.stored_teacher import teacher_identity
from ..utils.files import full_disk_says
from .distillation_config import DistillationConfig


@dataclass
class DumpReport:
    """What a :class:`FeatureDump` did.

    Attributes:
        made: Records written.
        kept: Records that were there.
        redone: Of those made, which were there but damaged or foreign: image and reason.
        size: Bytes of a record; 0 if none was made.
        squared_error: Of the stored embeddings, mean over those made.
    """

    made: int = 0
    kept: int = 0
    redone: list[tuple[str, str]] = field(default_factory=list)
    size: int = 0
    squared_error: float = 0.0


class FeatureDump:
    """Fills a store with the features of a distillation's training images.

    Args:
        cfg: A config whose model has a teacher, live or stored.
        folder: Of the store; the one that the config reads from if not given.
        shard: (index, count): every ``count``-th image, beginning with ``index``.
        process: (rank, world): every ``world``-th of these; other processes of the run make the
            others, on the same disk. The first one shows its progress.
        device: Where the teacher runs; CUDA if there is.
        batch_size: Images at a time; the config's if not given.
        workers: Processes that read images; the config's if not given.

    Raises:
        ValueError: The config has no teacher, no weights of it or no folder, two images have one
            name, or the pipeline gives another input each time.
        FileNotFoundError: Data or weights are missing.
    """

    def __init__(
        self,
        cfg: Config,
        folder: str | None = None,
        shard: tuple[int, int] = (0, 1),
        process: tuple[int, int] = (0, 1),
        device: str | None = None,
        batch_size: int | None = None,
        workers: int | None = None,
    ) -> None:
        parts = DistillationConfig(cfg, folder)
        self.store = FeatureStore(parts.folder)
        self.encoder = parts.encoder
        self.device = choose_device(device)
        self.batch_size = batch_size or parts.loader.get('batch_size', 1)
        self.workers = parts.loader.get('num_workers', 0) if workers is None else workers
        with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmdet')):
            self.dataset = DATASETS.build(parts.dataset)
            self.preprocessor = MODELS.build(parts.data_preprocessor).to(self.device)
        names = image_names(self.dataset)
        # Each image once, also where a data set repeats them.
        distinct = list({name: index for index, name in enumerate(names)}.values())
        distinct = distinct[shard[0] :: shard[1]]
        self._of_all = [names[index] for index in distinct]
        self.names = {index: names[index] for index in distinct[process[0] :: process[1]]}
        self._quiet = process[0] > 0
        _require_fixed_inputs(self.dataset, list(self.names)[:4])
        self.teacher = teacher_identity(self.encoder)

    def run(self) -> DumpReport:
        """Make the records that are missing or truncated.

        Headers are read, contents are not; see :meth:`verify`.

        Raises:
            ValueError: Records are of another teacher.
            OSError: There is no room for the records.
        """
        report, todo = DumpReport(), []
        for index, image in tqdm(self.names.items(), 'look', unit='image', disable=self._quiet):
            try:
                found = self.store.read_header(image)['teacher']
            except FileNotFoundError:
                todo.append(index)
            except (DamagedFeaturesError, ForeignFeaturesError) as error:
                report.redone.append((image, str(error)))
                todo.append(index)
            else:
                report.kept += 1
                if found != self.teacher:
                    raise ValueError(
                        f'{self.store.folder} holds features of another teacher ({found}, not '
                        f'{self.teacher}): name another folder with --out; --verify would make all '
                        'of them anew'
                    )
        if todo:
            self._make(todo, report, verify=False)
        return report

    def verify(self) -> DumpReport:
        """Read every record and compare it with its image; make bad and missing ones anew."""
        self.store.remove_leftovers()
        report = DumpReport()
        self._make(list(self.names), report, verify=True)
        return report

    def batches(self, indices: Sequence[int], description: str) -> Iterable[tuple[Tensor, list]]:
        """Inputs (B, 3, H, W) as the teacher sees them, and their samples, with a progress bar."""
        loader = DataLoader(
            Subset(self.dataset, indices),
            self.batch_size,
            num_workers=self.workers,
            collate_fn=pseudo_collate,
        )
        with tqdm(total=len(indices), desc=description, unit='image', disable=self._quiet) as bar:
            for data in loader:
                data = self.preprocessor(data, training=False)
                yield data['inputs'], data['data_samples']
                bar.update(len(data['inputs']))

    def build_teacher(self) -> nn.Module:
        """The image encoder with its weights, in eval mode."""
        return init_model(Config(dict(model=self.encoder)), device=str(self.device))

    @torch.no_grad()
    def _make(self, indices: Sequence[int], report: DumpReport, *, verify: bool) -> None:
        encoder = None
        squared_error = 0.0
        for inputs, samples in self.batches(indices, 'verify' if verify else 'store'):
            images = [image_name(sample.img_path) for sample in samples]
            bad = [
                row
                for row, image in enumerate(images)
                if not (verify and self._is_good(image, inputs[row], report))
            ]
            report.kept += len(images) - len(bad)
            if not bad:
                continue
            encoder = encoder or self.build_teacher()
            for row, embedding in zip(bad, encoder(inputs[bad])):
                features = TeacherFeatures.of(embedding, inputs[row], images[row], self.teacher)
                if not report.made:
                    report.size = len(features.to_bytes())
                    if not verify:
                        self._require_room(report.size)
                with full_disk_says(self.store.folder, lambda: f'{report.made:,} new records'):
                    self.store.write(features)
                report.made += 1
                squared_error += (features.embedding() - embedding.cpu()).square().mean().item()
        report.squared_error = squared_error / max(report.made, 1)

    def _is_good(self, image: str, image_input: Tensor, report: DumpReport) -> bool:
        try:
            features = self.store.read(image)
            features.check_teacher(self.teacher)
            features.to(self.device).check_input(image_input)
        except FileNotFoundError:
            return False
        except (DamagedFeaturesError, ForeignFeaturesError) as error:
            report.redone.append((image, str(error.__cause__ or error)))
            return False
        return True

    def _require_room(self, size: int) -> None:
        os.makedirs(self.store.folder, exist_ok=True)
        count = len(self.store.missing(self._of_all))
        needed, free = size * count, shutil.disk_usage(self.store.folder).free
        if needed > free:
            raise OSError(
                f'{count:,} records need {needed / 1e9:,.1f} GB in {self.store.folder}, '
                f'but {free / 1e9:,.1f} GB are free: make room or name another place '
                'with --out'
            )


def _require_fixed_inputs(dataset: Dataset, indices: Sequence[int]) -> None:
    """Read some images twice: features can be stored of what is the same each time."""
    for index in indices:
        first, second = dataset[index], dataset[index]
        if not torch.equal(first['inputs'], second['inputs']):
            raise ValueError(
                'the pipeline of the training data gives another input each time, and features '
                'can be stored of fixed inputs only: take random transforms out of it, or train '
                'with a live teacher'
            )
