"""What makes more of a few hundred photographs."""

from .keep_in_memory import KeepInMemory
from .part_of_images import PartOfImagesCocoDataset
from .paste_objects import PasteObjects
from .random_object_warp import RandomObjectWarp
