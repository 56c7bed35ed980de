"""Draw pictograms: clean or cluttered crops of one, and scenes of several with exact masks.

Every picture is a function of a ``numpy.random.Generator``, so a seed names it for ever.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from .glyphs import GLYPH_SIZE, Glyph, load_glyphs

_BANK_SEED = 20240117
_BANK_COUNT = 96
_BANK_SIZE = 320
_VISIBLE = 0.9  # share of each object's silhouette that must stay visible


class Scene(NamedTuple):
    """An image ``(H, W, 3)`` RGB uint8, labels ``(N,)``, visible masks ``(N, H, W)`` bool."""

    image: np.ndarray
    labels: np.ndarray
    masks: np.ndarray


@lru_cache(maxsize=1)
def texture_bank() -> np.ndarray:
    """Grey textures ``(96, 320, 320)`` float32 in [0, 1]: noise of several scales, waves, rings."""
    bank: np.ndarray = np.empty((_BANK_COUNT, _BANK_SIZE, _BANK_SIZE), np.float32)
    rng = np.random.default_rng(_BANK_SEED)
    grid = np.mgrid[:_BANK_SIZE, :_BANK_SIZE].astype(np.float32)
    for i in range(_BANK_COUNT):
        picture: np.ndarray = np.zeros((_BANK_SIZE, _BANK_SIZE), np.float32)
        for cells in (4, 10, 24, 64):
            noise = rng.random((cells, cells), dtype=np.float32)
            weight = rng.uniform(0.1, 1.0) / np.sqrt(cells)
            picture += weight * cv2.resize(
                noise, (_BANK_SIZE, _BANK_SIZE), interpolation=cv2.INTER_CUBIC
            )
        kind, angle = rng.integers(0, 4), rng.uniform(0, np.pi)
        wave = np.cos(angle) * grid[0] + np.sin(angle) * grid[1]
        if kind == 1:
            picture += rng.uniform(0.1, 0.4) * np.sin(wave * rng.uniform(0.05, 0.6))
        elif kind == 2:
            cy, cx = rng.uniform(0, _BANK_SIZE, 2)
            radius = np.hypot(grid[0] - cy, grid[1] - cx)
            picture += rng.uniform(0.1, 0.3) * np.sin(radius * rng.uniform(0.05, 0.3))
        elif kind == 3:
            picture += rng.uniform(0.1, 0.3) * (np.sin(wave * rng.uniform(0.05, 0.3)) > 0)
        picture -= picture.min()
        bank[i] = picture / picture.max()
    return bank


def _texture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    bank = texture_bank()
    picture = bank[rng.integers(len(bank))]
    if height > _BANK_SIZE or width > _BANK_SIZE:
        picture = cv2.resize(picture, (max(width, _BANK_SIZE), max(height, _BANK_SIZE)))
    top = rng.integers(picture.shape[0] - height + 1)
    left = rng.integers(picture.shape[1] - width + 1)
    return picture[top : top + height, left : left + width]


def paint_surface(
    rng: np.random.Generator, height: int, width: int, colour: np.ndarray, contrast: float
) -> np.ndarray:
    """A textured surface ``(H, W, 3)`` float32 around ``colour`` (RGB in [0, 255])."""
    other = np.clip(colour + rng.normal(0, 90 * contrast, 3), 0, 255)
    mix = _texture(rng, height, width)[..., None]
    return (colour * (1 - mix) + other * mix).astype(np.float32)


def _apart(rng: np.random.Generator, *others: np.ndarray, distance: float = 110.0) -> np.ndarray:
    """A random colour at least ``distance`` (Euclidean, RGB) from each of ``others``."""
    for _ in range(20):
        colour = rng.uniform(0, 255, 3)
        if all(np.linalg.norm(colour - other) >= distance for other in others):
            return colour
    return 255.0 - others[0]


def random_warp(
    rng: np.random.Generator, size: float, centre: tuple[float, float], difficulty: float
) -> np.ndarray:
    """The 3x3 map from glyph pixels to the picture: scale, aspect, rotation, corner jitter."""
    aspect = np.exp(rng.uniform(-0.16, 0.16) * difficulty)
    angle = np.deg2rad(rng.uniform(-20, 20) * difficulty)
    half = size / 2
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    corners *= [np.sqrt(aspect), 1 / np.sqrt(aspect)]
    corners += rng.uniform(-0.05, 0.05, (4, 2)) * size * difficulty
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    target = corners @ rotation + centre
    edge = GLYPH_SIZE - 1
    source = np.array([[0, 0], [edge, 0], [edge, edge], [0, edge]])
    return cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))


def blend(
    rng: np.random.Generator,
    canvas: np.ndarray,
    glyph: Glyph,
    warp: np.ndarray,
    background: np.ndarray,
    difficulty: float,
) -> np.ndarray:
    """Paint one object on ``canvas`` (float32, in place); returns its silhouette, bool."""
    height, width = canvas.shape[:2]
    flags = cv2.INTER_AREA if warp[0, 0] < 0.5 else cv2.INTER_LINEAR
    ink = cv2.warpPerspective(glyph.ink, warp, (width, height), flags=flags)
    silhouette = cv2.warpPerspective(glyph.silhouette, warp, (width, height), flags=flags)
    mask = silhouette > 127
    if not mask.any():
        return mask
    ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    window = (slice(max(ys[0] - 1, 0), ys[-1] + 2), slice(max(xs[0] - 1, 0), xs[-1] + 2))
    height, width = canvas[window].shape[:2]
    ink_colour = _apart(rng, background)
    fill_colour = _apart(rng, ink_colour, background, distance=80.0)
    contrast = 0.5 * difficulty * rng.random()
    alpha = ink[window].astype(np.float32)[..., None] / 255
    body = silhouette[window].astype(np.float32)[..., None] / 255
    paint = paint_surface(rng, height, width, ink_colour, contrast) * alpha
    paint = paint + paint_surface(rng, height, width, fill_colour, contrast) * (1 - alpha)
    canvas[window] = canvas[window] * (1 - body) + paint * body
    return mask


def add_noise(rng: np.random.Generator, canvas: np.ndarray, difficulty: float) -> np.ndarray:
    """The canvas as RGB uint8, with the noise of a camera."""
    noise = rng.standard_normal(canvas.shape, dtype=np.float32) * (6 * difficulty * rng.random())
    return np.clip(canvas + noise, 0, 255).astype(np.uint8)


def render_crop(
    rng: np.random.Generator, label: int, size: int = 64, difficulty: float = 1.0
) -> Scene:
    """One pictogram that fills most of a square picture.

    Args:
        rng: Source of every random choice.
        label: Class index into :func:`~.glyphs.pictogram_names`.
        size: Side of the picture in pixels.
        difficulty: 0 is upright and light on a dark plain ground; 1 has the scenes' rotation,
            distortion, colours, textures and pieces of neighbours.
    """
    glyphs = load_glyphs()
    background = rng.uniform(0, 40, 3) if rng.random() > difficulty else rng.uniform(0, 255, 3)
    canvas = paint_surface(rng, size, size, background, difficulty)
    if rng.random() < 0.6 * difficulty:
        angle = rng.uniform(0, 2 * np.pi)
        far = size / 2 + size * rng.uniform(0.5, 0.7) * np.array([np.cos(angle), np.sin(angle)])
        neighbour = glyphs[rng.integers(len(glyphs))]
        warp = random_warp(rng, size * rng.uniform(0.4, 1.0), far, difficulty)
        blend(rng, canvas, neighbour, warp, background, difficulty)
    extent = size * rng.uniform(1 - 0.4 * difficulty, 1.05)
    shift = size * 0.08 * difficulty
    centre = size / 2 + rng.uniform(-shift, shift, 2)
    warp = random_warp(rng, extent, tuple(centre), difficulty)
    mask = blend(rng, canvas, glyphs[label], warp, background, difficulty)
    return Scene(add_noise(rng, canvas, difficulty), np.array([label]), mask[None])


def render_scene(
    rng: np.random.Generator,
    labels: Sequence[int],
    size: int = 256,
    object_size: tuple[float, float] = (48.0, 176.0),
) -> Scene:
    """Several pictograms that may cover each other on one textured ground.

    Args:
        rng: Source of every random choice.
        labels: Class of each object; objects that find no place are left out.
        size: Side of the square picture in pixels.
        object_size: Smallest and largest longest side of an object in pixels (log-uniform).

    Returns:
        The scene; masks hold visible pixels only and do not overlap.
    """
    glyphs = load_glyphs()
    background = rng.uniform(0, 255, 3)
    canvas = paint_surface(rng, size, size, background, 1.0)
    kept = []
    masks: list[np.ndarray] = []
    areas: list[int] = []
    smallest, largest = np.log(object_size)
    extents = np.sort(np.exp(rng.uniform(smallest, largest, len(labels))))[::-1]
    for label, extent in zip(labels, extents):
        for _ in range(8):
            centre = rng.uniform(0.4 * extent, size - 0.4 * extent, 2)
            warp = random_warp(rng, extent, tuple(centre), 1.0)
            mask = cv2.warpPerspective(glyphs[label].silhouette, warp, (size, size)) > 127
            visible = [(m & ~mask).sum() >= _VISIBLE * a for m, a in zip(masks, areas)]
            if mask.sum() >= 48 and all(visible):
                break
        else:
            continue
        mask = blend(rng, canvas, glyphs[label], warp, background, 1.0)
        masks = [m & ~mask for m in masks] + [mask]
        areas.append(mask.sum())
        kept.append(label)
    stack = np.stack(masks) if masks else np.zeros((0, size, size), bool)
    return Scene(add_noise(rng, canvas, 1.0), np.array(kept, np.int64), stack)
