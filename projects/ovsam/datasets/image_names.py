"""Which images a data set has, without reading them."""

from __future__ import annotations

from collections import Counter

from torch.utils.data import Dataset

from .teacher_features import image_name


def image_names(dataset: Dataset) -> list[str]:
    """The name of each sample's image in a feature store, in the data set's order.

    Args:
        dataset: of mmengine, or a wrapper of several.

    Raises:
        ValueError: different images have one name.
    """
    paths = [dataset.get_data_info(index)['img_path'] for index in range(len(dataset))]
    names = [image_name(path) for path in paths]
    counts = Counter(map(image_name, set(paths)))
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise ValueError(
            f'{len(twice)} images have the same folder and file name as another, such as '
            f'{twice[0]}: features are stored by these two; rename a folder, or store the parts '
            'of the data set apart'
        )
    return names
