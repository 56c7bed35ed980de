"""Masks as polygons, for formats that know nothing else.

Points are (x, y) pixels of the image, in the middle of the mask's border pixels; filled with their
border pixels (as ``cv2.fillPoly`` does of their whole parts), they give the mask back.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.spatial import KDTree


def mask_polygons(mask: np.ndarray) -> list[np.ndarray]:
    """One polygon for each connected part of a mask; holes are cut in from its border.

    Args:
        mask: (H, W) bool.

    Returns:
        (P, 2) float arrays, P at least 3; none of an empty mask.
    """
    rings, tree = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    # The last column says in which outer ring a hole lies, or -1.
    parents = [-1] * len(rings) if tree is None else tree[0][:, 3].tolist()
    parts: dict[int, list[np.ndarray]] = {
        place: [ring[:, 0]] for place, ring in enumerate(rings) if parents[place] < 0
    }
    for ring, parent in zip(rings, parents):
        if parent >= 0:
            parts[parent].append(ring[:, 0])
    joined = [join_polygons(part) + 0.5 for part in parts.values()]
    # Polygons around one pixel, or a line of them, have three points, too.
    return [
        np.pad(points, ((0, max(0, 3 - len(points))), (0, 0)), mode='edge') for points in joined
    ]


def join_polygons(polygons: Sequence[np.ndarray]) -> np.ndarray:
    """One polygon (P, 2) around several: cuts of no width lead from each to the next and back."""
    joined = np.asarray(polygons[0])
    for ring in polygons[1:]:
        distances, places = KDTree(joined).query(ring)
        there = int(distances.argmin())
        here = int(places[there])
        detour = [joined[: here + 1], ring[there:], ring[: there + 1], joined[here:]]
        joined = np.concatenate(detour)
    return joined
