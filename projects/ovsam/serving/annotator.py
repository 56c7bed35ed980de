"""What annotation tools ask about pictures that they send, done by a model that they share.

Nothing of a request outlives it but encoded images, masks of everything mode and encoded names,
all of which are kept within a bound and are the same for whoever asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from ovsam_onnx.prediction import Prediction

from ..vocabulary.name_texts import listed_names
from .bounded_cache import BoundedCache
from .object_prompts import ObjectPrompt
from .served_model import ServedModel
from .uploads import UploadLimits

if TYPE_CHECKING:
    from .served_model import Predictor

DRAWN_AT_ONCE = 8  # masks at the size of the picture, of float32


@dataclass(frozen=True)
class TaughtNames:
    """Names of a user who taught some by example.

    Attributes:
        vocabulary: Of :meth:`Annotator.names`; None for those that the server was started with.
        taught: Of :meth:`~ovsam.serving.served_model.ServedModel.new_predictor`.
        examples: How many were shown in this session, of each name.
    """

    vocabulary: Any
    taught: bytes = b''
    examples: Mapping[str, int] = field(default_factory=dict)


# Of a request: of Annotator.names, or with what was taught; None for the vocabulary that the server
# was started with.
Names: TypeAlias = Any


class Picture(NamedTuple):
    """A picture: its key, made of SHA-256 of the file that was sent, and what the model sees."""

    key: Hashable
    image: Any


class NotKeptError(LookupError):
    """Something that is not here, or no longer."""


class Annotator:
    """Segments and names in pictures, for any number of users with names of their own.

    What cannot be done raises a ``ValueError``: a prompt is malformed or outside the picture, a
    mask is empty or of another size, a name has nothing to read, names were taught to another
    model, there is nothing to find or no other name to compare it with.

    Args:
        model: To prompt, which must name.
        limits: Of pictures and vocabularies.
        images: How many encoded images to keep.
        megabytes: Of memory for what is kept: encoded images have three quarters of it, masks of
            everything mode a quarter.
        everything: Settings of :class:`~ovsam.apis.EverythingMode`.

    Raises:
        ValueError: The model does not name, or ``images`` is not positive.
    """

    def __init__(
        self,
        model: ServedModel,
        limits: UploadLimits | None = None,
        *,
        images: int = 16,
        megabytes: float = 2000.0,
        everything: Mapping[str, Any] | None = None,
    ) -> None:
        if model.vocabulary is None:
            raise ValueError(
                'this model gives masks without names, and annotations need labels: choose the '
                'config of an OVSAM'
            )
        self.model = model
        self.limits = limits or UploadLimits()
        self._images: BoundedCache[Any] = BoundedCache(
            images, 0.75e6 * megabytes, lambda image: image.nbytes
        )
        self._settings = dict(everything or {})
        # Of everything mode, a bit for each pixel.
        self._masks: BoundedCache[Prediction] = BoundedCache(images, 0.25e6 * megabytes, _nbytes)

    def send(
        self, content: bytes, name: str = 'the picture', size: tuple[int, int] | None = None
    ) -> Picture:
        """Take a picture's file; one that was sent before is encoded only if it is not kept.

        Args:
            content: Of the file.
            name: What errors call it.
            size: Height and width of what somebody annotated: the picture is turned as EXIF says
                only if it has this size then. As EXIF says if not given.

        Raises:
            ValueError: It is too large, or no picture.
        """
        key = hashlib.sha256(content).hexdigest()
        key = key if size is None else f'{key}-{size[0]}x{size[1]}'
        read = self.limits.decode_picture
        return self.encoded(key, lambda: read(content, name, size))

    def encoded(self, key: Hashable, read: Callable[[], np.ndarray]) -> Picture:
        """The picture of a key; requests for the same one at once encode it once.

        ``read`` gives its (H, W, 3) RGB uint8 pixels if they are needed; errors are its.
        """
        image = self._images.get(key)
        if image is None:
            pixels = read()
            predictor = self.model.new_predictor()
            with self.model.turn():
                image = self._images.get(key)
                if image is None:
                    (image,) = predictor.encode([pixels])
                    self._images.put(key, image)
        return Picture(key, image)

    def picture(self, key: str) -> Picture:
        """A picture that was sent before.

        Raises:
            NotKeptError: It is not kept.
        """
        image = self._images.get(key)
        if image is None:
            raise NotKeptError('this server does not have the picture, or no longer: send it again')
        return Picture(key, image)

    def names(self, given: str | Sequence[str] | None) -> Names:
        """Names as users write them: a pack, names with commas between, a list; None for none.

        Raises:
            ValueError: There are none, too many, or one that the model cannot name.
        """
        if given is None:
            return None
        if isinstance(given, str) and self.model.any_names:
            return self.limits.parse_vocabulary(given)
        names = tuple(listed_names(given) if isinstance(given, str) else given)
        self.limits.check_names(names)
        return names

    def click(
        self, picture: Picture, prompts: Sequence[ObjectPrompt], names: Names, top_k: int = 1
    ) -> Iterator[Prediction]:
        """One mask with its names for each prompt, one after the other."""
        predictor = self._shown(picture, names)
        for each in prompts:
            points, labels = each.points or None, each.point_labels or None
            with self.model.turn():  # not around the yield: who asked may never come back
                found = predictor.predict(
                    points, labels, each.box, mask_input=each.mask, top_k=top_k, none_threshold=0.0
                )
            yield found

    def everything(self, picture: Picture, names: Names, top_k: int = 1) -> Prediction:
        """All that there is in the picture, best masks first."""
        with self.model.turn():
            predictor = self._shown(picture, names)
            return predictor.name(self._all_masks(predictor, picture), top_k, 0.0)

    def find(
        self,
        picture: Picture,
        texts: Sequence[str],
        names: Names,
        threshold: float = 0.3,
        top_k: int = 1,
    ) -> Prediction:
        """What in the picture is called so, best first; see ``OVSAMPredictor.find``."""
        self.limits.check_names(texts)
        with self.model.turn():
            predictor = self._shown(picture, names)
            found = self._all_masks(predictor, picture)
            return self.model.find(predictor, texts, threshold, top_k, found)

    def name(
        self, picture: Picture, masks: Iterable[np.ndarray], names: Names, top_k: int = 1
    ) -> Iterator[Prediction]:
        """Masks (H, W) bool that somebody drew, with their names, some at a time."""
        masks = iter(masks)
        while some := list(islice(masks, DRAWN_AT_ONCE)):
            with self.model.turn():
                predictor = self._shown(picture, names)
                found = predictor.name(predictor.described(np.stack(some)), top_k, 0.0)
            yield found

    def taught(
        self, picture: Picture, names: TaughtNames, name: str, mask: np.ndarray
    ) -> TaughtNames:
        """The names with an example of one, (H, W) bool; see ``OVSAMPredictor.teach``."""
        with self.model.turn():
            taught, examples = self.model.teach(self._shown(picture, names), name, mask)
        return replace(names, taught=taught, examples=examples)

    def predictor(self, names: Names) -> Predictor:
        """A predictor without an image, which computes in a turn of the model."""
        given = names if isinstance(names, TaughtNames) else TaughtNames(names)
        vocabulary = self.model.vocabulary if given.vocabulary is None else given.vocabulary
        return self.model.new_predictor(vocabulary, given.taught)

    def _shown(self, picture: Picture, names: Names) -> Predictor:
        predictor = self.predictor(names)
        predictor.set_image(picture.image)
        return predictor

    def _all_masks(self, predictor: Predictor, picture: Picture) -> Prediction:
        # Where there is a second look, what masks look like depends on who asks.
        alike = predictor.doubted_bank is None
        kept = self._masks.get(picture.key) if alike else None
        if kept is not None:
            masks = np.unpackbits(kept.masks, axis=2, count=picture.image.original[1])
            return replace(kept, masks=masks.view(bool))
        found = replace(predictor.segment_everything(**self._settings), low_res_logits=None)
        if alike:
            self._masks.put(picture.key, replace(found, masks=np.packbits(found.masks, axis=2)))
        return found


def _nbytes(found: Prediction) -> int:
    return found.masks.nbytes + found.region_embeddings.nbytes
