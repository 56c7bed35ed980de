"""An ML backend for Label Studio: smart keypoints and rectangles become named brush masks.

A request goes through one module after the other: :mod:`.http_api` receives it,
:mod:`.labeling_config` and :mod:`.region_prompts` read it, :mod:`.task_images` fetches its image,
:mod:`.backend` prompts the model and writes the answer, :mod:`.brush_rle` its masks.
:mod:`.http_api` and :mod:`.task_images` need ``pip install ".[serve]"``.
"""
