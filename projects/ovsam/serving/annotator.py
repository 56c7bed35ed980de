"""What annotation tools ask about pictures that they send, done by a model that they share.

Nothing of a request outlives it but encoded images, masks of everything mode and encoded names,
all of which are kept within a bound and are the same for whoever asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ..apis import OVSAMPredictor
from ..apis.encoded_image import EncodedImage
from ..apis.prediction import Prediction
from ..vocabulary import Vocabulary
from .bounded_cache import BoundedCache
from .encoded_images import EncodedImages
from .object_prompts import ObjectPrompt
from .shared_model import SharedModel
from .uploads import UploadLimits

# Names of a request; None for the vocabulary that the server was started with.
Names = Vocabulary | Sequence[str] | None


class Picture(NamedTuple):
    """A picture that was sent: its key, SHA-256 of the file, and what the model sees."""

    key: str
    image: EncodedImage


class NotKeptError(LookupError):
    """Something that is not here, or no longer."""


class Annotator:
    """Segments and names in pictures, for any number of users with names of their own.

    Args:
        model: To prompt, which must name.
        limits: Of pictures and vocabularies.
        images: How many encoded images to keep.
        megabytes: Of memory for what is kept: encoded images have three quarters of it, masks of
            everything mode a quarter.
        everything: Settings of :class:`~ovsam.apis.EverythingMode`.

    Attributes:
        encoded: The images, which other tools may share.

    Raises:
        ValueError: The model does not name, or ``images`` is not positive.
    """

    def __init__(
        self,
        model: SharedModel,
        limits: UploadLimits | None = None,
        *,
        images: int = 16,
        megabytes: float = 2000.0,
        everything: Mapping[str, Any] | None = None,
    ) -> None:
        if not model.names:
            raise ValueError(
                'this model gives masks without names, and annotations need labels: choose the '
                'config of an OVSAM'
            )
        self.model = model
        self.limits = limits or UploadLimits()
        self.encoded = EncodedImages(model, images, 0.75 * megabytes)
        self._settings = dict(everything or {})
        self._masks: BoundedCache[Prediction] = BoundedCache(images, 0.25e6 * megabytes, _nbytes)

    @property
    def nbytes(self) -> int:
        """What is kept of pictures takes so many bytes."""
        return self.encoded.nbytes + self._masks.nbytes

    def send(self, content: bytes) -> Picture:
        """Take a picture's file; one that was sent before is encoded only if it is not kept.

        Raises:
            ValueError: It is too large, or no picture.
        """
        key = hashlib.sha256(content).hexdigest()
        read = self.limits.decode_picture
        return Picture(key, self.encoded.encoded(key, lambda: read(content)))

    def picture(self, key: str) -> Picture:
        """A picture that was sent before.

        Raises:
            NotKeptError: It is not kept.
        """
        image = self.encoded.get(key)
        if image is None:
            raise NotKeptError('this server does not have the picture, or no longer: send it again')
        return Picture(key, image)

    def names(self, given: str | Sequence[str] | None) -> Names:
        """Names as users write them: a pack, names with commas between, a list; None for none.

        Raises:
            ValueError: There are none, or too many.
        """
        if given is None:
            return None
        if isinstance(given, str):
            return self.limits.parse_vocabulary(given)
        self.limits.check_names(given)
        return tuple(given)

    def click(
        self, picture: Picture, prompts: Sequence[ObjectPrompt], names: Names, top_k: int = 1
    ) -> Iterator[Prediction]:
        """One mask with its names for each prompt, one after the other.

        Raises:
            ValueError: A prompt is malformed or outside the image, or a name has nothing to read.
        """
        predictor = self._predictor(picture, names)
        for prompt in prompts:
            with self.model.turn():  # not around the yield: who asked may never come back
                found = predictor.predict(**prompt.arguments(), top_k=top_k, none_threshold=0.0)
            yield found

    def everything(self, picture: Picture, names: Names, top_k: int = 1) -> Prediction:
        """All that there is in the picture, best masks first.

        Raises:
            ValueError: A name has nothing to read.
        """
        with self.model.turn():
            predictor = self._predictor(picture, names)
            return predictor.name(self._all_masks(predictor, picture), top_k, 0.0)

    def find(
        self,
        picture: Picture,
        texts: Sequence[str],
        names: Names,
        threshold: float = 0.3,
        top_k: int = 1,
    ) -> Prediction:
        """What in the picture is called so, best first; see :meth:`ovsam.apis.OVSAMPredictor.find`.

        Raises:
            ValueError: There are no texts, one has nothing to read, or the vocabulary has no
                other name to compare with.
        """
        with self.model.turn():
            predictor = self._predictor(picture, names)
            found = self._all_masks(predictor, picture)
            return predictor.find(texts, threshold, top_k, found)

    def _predictor(self, picture: Picture, names: Names) -> OVSAMPredictor:
        predictor = self.model.new_predictor(self.model.vocabulary if names is None else names)
        predictor.set_image(picture.image)
        return predictor

    def _all_masks(self, predictor: OVSAMPredictor, picture: Picture) -> Prediction:
        found = self._masks.get(picture.key)
        if found is None:
            found = replace(predictor.segment_everything(**self._settings), low_res_logits=None)
            self._masks.put(picture.key, found)
        return found


def _nbytes(found: Prediction) -> int:
    embeddings = found.region_embeddings
    more = 0 if embeddings is None else embeddings.numel() * embeddings.element_size()
    return found.masks.nbytes + more
