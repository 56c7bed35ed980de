"""One image's embedding by SAM's image encoder, small enough to keep and safe to learn from.

Each channel of an image's embedding is stored in 255 steps between its smallest and its largest
value. At SAM's 256 x 64 x 64 that is 1.05 MB, a quarter of float32.

Glossary: C channels, h x w the embedding's size, H x W the input's, G x G the view's.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

import safetensors.torch
import torch
import torch.nn.functional as F
from mmengine.structures import BaseDataElement
from safetensors import SafetensorError
from torch import Tensor
from torch.utils.data import Dataset

from ..utils.digest import fingerprint

FORMAT = 'ovsam teacher features 1'
VIEW_SIZE = 16
# In units of the normalised input, three grey levels. Decoders of JPEG differ by less in the mean
# of a cell; a flip, crop, resize or another picture differs by far more in some cell.
VIEW_TOLERANCE = 0.05
_DTYPES = {
    'codes': torch.uint8,
    'scale': torch.float32,
    'offset': torch.float32,
    'view': torch.float16,
}


class DamagedFeaturesError(ValueError):
    """A record is truncated, changed, or no record at all."""


class ForeignFeaturesError(ValueError):
    """A record is of another image, another input, another teacher or another version."""


class TeacherFeatures(BaseDataElement):
    """A record: the embedding in 8 bits, and what it was made of. :meth:`of` makes one.

    Data fields: ``codes`` (C, h, w) uint8; ``scale`` and ``offset`` (C,), so that the embedding is
    ``codes * scale + offset``; ``view`` (3, G, G), the input that the teacher saw, averaged in
    cells, by which :meth:`check_input` knows it again. Metainfo: ``image``, see
    :func:`image_name`; ``teacher``, a dict of strings that tells one teacher with its weights from
    others; ``input_shape`` (H, W).
    """

    @classmethod
    def of(
        cls, embedding: Tensor, image_input: Tensor, image: str, teacher: Mapping[str, str]
    ) -> TeacherFeatures:
        """The record of one image, on the CPU.

        Args:
            embedding: (C, h, w), the teacher's.
            image_input: (3, H, W), normalised and padded, what the teacher saw.
            image: Its name in the store.
            teacher: Identity of the teacher.

        Raises:
            ValueError: The embedding has values that are not finite.
        """
        values = embedding.detach().float()
        if not values.isfinite().all():
            raise ValueError(
                f"the teacher's embedding of {image} is not finite: its weights, or "
                'the image, must be wrong'
            )
        lowest, highest = values.flatten(1).aminmax(dim=1)
        scale = (highest - lowest) / 255
        # A constant channel has no step; its codes are 0 by any.
        steps = torch.where(scale > 0, scale, torch.ones_like(scale))[:, None, None]
        codes = ((values - lowest[:, None, None]) / steps).round().clamp(0, 255)
        return cls(
            metainfo=dict(
                image=image, teacher=dict(teacher), input_shape=tuple(image_input.shape[-2:])
            ),
            codes=codes.to(torch.uint8),
            scale=scale,
            offset=lowest,
            view=_view(image_input),
        ).cpu()

    def embedding(self) -> Tensor:
        """The teacher's embedding (C, h, w) float32, within half a step of what it was."""
        return torch.addcmul(self.offset[:, None, None], self.codes, self.scale[:, None, None])

    def check_teacher(self, teacher: Mapping[str, str]) -> None:
        """Make sure that this teacher made it.

        Raises:
            ForeignFeaturesError: Another one did.
        """
        if self.teacher != dict(teacher):
            raise ForeignFeaturesError(
                f'of another teacher, {_words(self.teacher)}; expected {_words(teacher)}'
            )

    def check_input(self, image_input: Tensor) -> None:
        """Make sure that it was made of this input (3, H, W), normalised and padded.

        That is: of the same picture, prepared the same way.

        Raises:
            ForeignFeaturesError: It was made of another one.
        """
        shape = tuple(image_input.shape[-2:])
        if shape != tuple(self.input_shape):
            raise ForeignFeaturesError(
                f'of an input of {self.input_shape} pixels; expected {shape}'
            )
        largest = (_view(image_input).float() - self.view.float()).abs().max().item()
        if not largest <= VIEW_TOLERANCE:
            raise ForeignFeaturesError(
                f'of another input, by {largest:.2f} in the mean of a cell (at most '
                f'{VIEW_TOLERANCE} is usual): the picture has changed, or the pipeline prepares it '
                'otherwise, such as by random augmentation'
            )

    def to_bytes(self) -> bytes:
        """A safetensors file with a checksum, see :meth:`from_bytes`."""
        metadata = {
            'format': FORMAT,
            'image': self.image,
            'teacher': json.dumps(self.teacher),
            'input_shape': json.dumps(self.input_shape),
        }
        tensors = {name: self.get(name).contiguous() for name in _DTYPES}
        metadata['sha256'] = fingerprint(metadata, tensors)
        return safetensors.torch.save(tensors, metadata)

    @classmethod
    def from_bytes(cls, content: bytes) -> TeacherFeatures:
        """What :meth:`to_bytes` wrote.

        Raises:
            DamagedFeaturesError: It is truncated or changed, or was never such a record.
            ForeignFeaturesError: Another version wrote it.
        """
        try:
            tensors = safetensors.torch.load(content)
            header = json.loads(content[8 : 8 + int.from_bytes(content[:8], 'little')])
        except (SafetensorError, ValueError) as error:
            raise DamagedFeaturesError(
                f'truncated or no record, {len(content):,} bytes ({error})'
            ) from error
        metadata = header.get('__metadata__', {})
        metainfo = read_metadata(metadata)
        digest = metadata.pop('sha256', None)
        if digest != fingerprint(metadata, tensors):
            raise DamagedFeaturesError('changed since it was written: its checksum differs')
        if {name: value.dtype for name, value in tensors.items()} != _DTYPES:
            raise DamagedFeaturesError('without the tensors of a record')
        return cls(metainfo=metainfo, **tensors)


def read_metadata(metadata: Mapping[str, str]) -> dict:
    """A record's metainfo from the metadata in its file.

    Raises:
        DamagedFeaturesError: It is not of a record.
        ForeignFeaturesError: It is of another version.
    """
    version = metadata.get('format')
    if version != FORMAT:
        raise ForeignFeaturesError(f'of the format {version!r}; expected {FORMAT!r}')
    try:
        return dict(
            image=metadata['image'],
            teacher=json.loads(metadata['teacher']),
            input_shape=tuple(json.loads(metadata['input_shape'])),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise DamagedFeaturesError(f'with a header that cannot be read ({error!r})') from error


def image_name(path: str) -> str:
    """What a store calls an image: its folder and file, wherever the data set lies."""
    name = '/'.join(path.replace('\\', '/').split('/')[-2:])
    # What is not UTF-8 has lone surrogates in Python, which no record could hold.
    return name.encode('utf-8', 'backslashreplace').decode()


def image_names(dataset: Dataset) -> list[str]:
    """The name of each sample's image in a store, in the order of one of mmengine's data sets.

    Raises:
        ValueError: Different images have one name.
    """
    paths = [dataset.get_data_info(index)['img_path'] for index in range(len(dataset))]
    counts = Counter(map(image_name, set(paths)))
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise ValueError(
            f'{len(twice)} images have the same folder and file name as another, such as '
            f'{twice[0]}: features are stored by these two; rename a folder, or store the parts '
            'of the data set apart'
        )
    return [image_name(path) for path in paths]


def _view(image_input: Tensor) -> Tensor:
    # float16 holds these values, which are below 3, to a thousandth.
    return F.adaptive_avg_pool2d(image_input.detach().float(), VIEW_SIZE).half()


def _words(teacher: Mapping[str, str]) -> str:
    return ', '.join(f'{key} {value}' for key, value in teacher.items())
