"""Films of pictograms: objects move, turn, grow, cross and hide each other, leave and come back.

Glossary: N objects, H x W a frame. Every film is a function of a ``numpy.random.Generator``.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from .glyphs import load_glyphs
from .renderer import Scene, add_noise, blend, paint_surface, random_warp

_SPRITE = 144  # side of the picture that an object is drawn on once, in pixels
_EXTENT = 128  # longest side of the object on it
_PERIOD = 24.0  # frames in which a path with one turn comes back to where it began
_TRIES = 60


class _Path(NamedTuple):
    """Where an object is at any time: it swings about a centre, turns, grows and shrinks.

    All lengths are in pixels; ``centre`` and ``swing`` are (x, y), and so are ``turns`` (swings in
    24 frames) and ``phase`` (shares of a swing).
    """

    centre: np.ndarray
    swing: np.ndarray
    turns: np.ndarray
    phase: np.ndarray
    extent: float
    growth: float
    spin: float

    @classmethod
    def random(cls, rng: np.random.Generator, size: int, extents: tuple[float, float]) -> '_Path':
        """One of any path in a picture of this side."""
        return cls(
            centre=size * rng.uniform(0.3, 0.7, 2),
            swing=size * rng.uniform(0.1, 0.75, 2),
            turns=rng.uniform(0.3, 0.8, 2),
            phase=rng.uniform(0, 1, 2),
            extent=np.exp(rng.uniform(*np.log(extents))),
            growth=rng.uniform(-0.3, 0.3),
            spin=rng.uniform(-3, 3),
        )

    def warp(self, frame: int) -> np.ndarray:
        """The 2 x 3 map from sprite pixels to those of a frame."""
        way = 2 * np.pi * (self.turns * frame / _PERIOD + self.phase)
        centre = self.centre + self.swing * np.sin(way)
        extent = self.extent * np.exp(self.growth * np.sin(2 * np.pi * frame / _PERIOD))
        half = _SPRITE / 2
        warp = cv2.getRotationMatrix2D((half, half), self.spin * frame, extent / _EXTENT)
        warp[:, 2] += centre - half
        return warp


def render_motion(
    rng: np.random.Generator,
    labels: Sequence[int],
    frames: int = 24,
    size: int = 256,
    object_size: tuple[float, float] = (56.0, 112.0),
) -> Iterator[Scene]:
    """The frames of a film, drawn one at a time, of several pictograms on one textured ground.

    Args:
        rng: Source of every random choice.
        labels: Class of each object; later ones pass in front of earlier ones.
        frames: How many.
        size: Side of the square frames in pixels.
        object_size: Smallest and largest longest side of an object in pixels (log-uniform); it
            changes by up to a third on the way.

    Yields:
        Scenes with the same N labels, those of objects that found a place in the first frame,
        where nine tenths of each are seen. Masks hold visible pixels only, do not overlap, and are
        empty while an object is hidden or has left.
    """
    glyphs, background = load_glyphs(), rng.uniform(0, 255, 3)
    ground = paint_surface(rng, size, size, background, 1.0)
    sprites: list[np.ndarray] = []
    paths: list[_Path] = []
    kept: list[int] = []
    for label in labels:
        warp = random_warp(rng, _EXTENT, (_SPRITE / 2, _SPRITE / 2), 1.0)
        paint: np.ndarray = np.zeros((_SPRITE, _SPRITE, 3), np.float32)
        blend(rng, paint, glyphs[label], warp, background, 1.0)
        body = cv2.warpPerspective(glyphs[label].silhouette, warp, (_SPRITE, _SPRITE))
        # Painted on black, what is left of the paint is its share of a pixel.
        sprite = np.dstack([paint, body.astype(np.float32) / 255])
        for _ in range(_TRIES):
            path = _Path.random(rng, size, object_size)
            if _all_seen([*sprites, sprite], [*paths, path], size):
                sprites, paths, kept = [*sprites, sprite], [*paths, path], [*kept, label]
                break
    for frame in range(frames):
        canvas = ground.copy()
        masks: np.ndarray = np.zeros((len(kept), size, size), bool)
        for row, (sprite, path) in enumerate(zip(sprites, paths)):
            drawn = cv2.warpAffine(sprite, path.warp(frame), (size, size))
            canvas = canvas * (1 - drawn[..., 3:]) + drawn[..., :3]
            masks[row] = drawn[..., 3] > 0.5
            masks[:row] &= ~masks[row]
        yield Scene(add_noise(rng, canvas, 0.5), np.array(kept, np.int64), masks)


def _all_seen(sprites: Sequence[np.ndarray], paths: Sequence[_Path], size: int) -> bool:
    """Whether nine tenths of each object are seen in the first frame."""
    covered: np.ndarray = np.zeros((size, size), bool)
    for sprite, path in reversed([*zip(sprites, paths)]):
        body = np.ascontiguousarray(sprite[..., 3])
        mask = cv2.warpAffine(body, path.warp(0), (size, size)) > 0.5
        whole = np.count_nonzero(body > 0.5) * (path.extent / _EXTENT) ** 2
        if np.count_nonzero(mask & ~covered) < 0.9 * whole:
            return False
        covered |= mask
    return True
