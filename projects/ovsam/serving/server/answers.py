"""What the JSON API answers; :mod:`.json_api` has the addresses."""

from __future__ import annotations

import base64
import secrets

import numpy as np

from ...utils.images import jpeg
from ...utils.run_lengths import read_mask
from ..annotator import Annotator, Names, NotKeptError, TaughtNames
from ..bounded_cache import BoundedCache
from .records import (
    Asked,
    AskedFor,
    AskedForAll,
    Clicked,
    Drawn,
    FoundObject,
    FoundObjects,
    NewSession,
    Session,
    Shown,
    Taught,
    found_objects,
    object_prompt,
)

LOGITS, LOGITS_BYTES = 1000, 100e6
SESSIONS, SESSION_BYTES = 1000, 50e6
JPEG_QUALITY = 92


class Answers:
    """Answers about pictures that were sent, one after the other.

    Of users it remembers the names that they gave and taught, and nothing else; the longest unused
    ones are forgotten. All methods raise :class:`~..annotator.NotKeptError` for a picture or
    session that is not kept, and ``ValueError`` for what makes no sense.
    """

    def __init__(self, annotator: Annotator) -> None:
        self._annotator = annotator
        first = annotator.model.new_predictor()
        self._least, self._goes_on = first.none_threshold, first.takes_masks
        # Masks (h, w) that further clicks in a picture start from.
        self._logits: BoundedCache[np.ndarray] = BoundedCache(
            LOGITS, LOGITS_BYTES, lambda mask: mask.nbytes
        )

        self._sessions: BoundedCache[TaughtNames] = BoundedCache(
            SESSIONS, SESSION_BYTES, _names_nbytes
        )

    def shown(self, key: str) -> bytes:
        """The picture as JPEG."""
        return jpeg(self._annotator.picture(key).image.pixels, JPEG_QUALITY)

    def clicked(self, key: str, asked: Clicked) -> FoundObjects:
        """An object for each prompt."""
        prompts = [
            object_prompt(
                each, None if each.continues is None else self._logits.get((key, each.continues))
            )
            for each in asked.prompts
        ]
        picture = self._annotator.picture(key)
        founds = self._annotator.click(picture, prompts, self._names(asked), asked.top_k)
        objects: list[FoundObject] = []
        for place, found in enumerate(founds):
            (each,) = found_objects(found, asked, self._least, place)
            if self._goes_on and found.low_res_logits is not None:
                each.continues = secrets.token_urlsafe(9)
                self._logits.put((key, each.continues), found.low_res_logits[0])
            objects.append(each)
        return FoundObjects(objects=objects)

    def everything(self, key: str, asked: AskedForAll) -> FoundObjects:
        """Whatever there is."""
        picture = self._annotator.picture(key)
        found = self._annotator.everything(picture, self._names(asked), asked.top_k)
        assert found.label_scores is not None  # no model without names is served
        found = found.select(found.label_scores >= asked.threshold)
        return FoundObjects(objects=[*found_objects(found, asked, self._least)])

    def found(self, key: str, asked: AskedFor) -> FoundObjects:
        """What is called so."""
        picture, names = self._annotator.picture(key), self._names(asked)
        found = self._annotator.find(picture, asked.texts, names, asked.threshold, asked.top_k)
        return FoundObjects(objects=[*found_objects(found, asked, self._least)])

    def named(self, key: str, asked: Drawn) -> FoundObjects:
        """What masks show, an object for each."""
        picture = self._annotator.picture(key)
        masks = (read_mask(each.model_dump(), picture.image.original) for each in asked.drawn)
        founds = self._annotator.name(picture, masks, self._names(asked), asked.top_k)
        objects = [each for found in founds for each in found_objects(found, asked, self._least)]
        for place, each in enumerate(objects):
            each.prompt = place
        return FoundObjects(objects=objects)

    def new_session(self, new: NewSession) -> Session:
        """Remember names."""
        names = TaughtNames(self._annotator.names(new.vocabulary), new.taught or b'')
        with self._annotator.model.turn():
            known = self._annotator.predictor(names).vocabulary
        assert known is not None  # no model without names is served
        session = secrets.token_urlsafe(16)
        self._sessions.put(session, names)
        return Session(session=session, names=list(known.names))

    def end_session(self, session: str) -> None:
        """Forget names, if they are there."""
        self._sessions.pop(session)

    def taught(self, session: str, shown: Shown) -> Taught:
        """All that a session was taught, with this."""
        picture = self._annotator.picture(shown.image)
        mask = read_mask(shown.mask.model_dump(), picture.image.original)
        names = self._annotator.taught(picture, self._session(session), shown.name, mask)
        self._sessions.put(session, names)
        taught = base64.b64encode(names.taught).decode()
        return Taught(taught=taught, examples=dict(names.examples))

    def _names(self, asked: Asked) -> Names:
        if asked.session is None:
            return self._annotator.names(asked.vocabulary)
        if asked.vocabulary is not None:
            raise ValueError('give vocabulary or session, not both')
        return self._session(asked.session)

    def _session(self, session: str) -> TaughtNames:
        known = self._sessions.get(session)
        if known is None:
            raise NotKeptError('this server does not have the session, or no longer: make another')
        return known


def _names_nbytes(names: TaughtNames) -> int:
    given = names.vocabulary or ()
    listed = getattr(given, 'names', given)
    return len(names.taught) + sum(len(name) + 64 for name in listed)
