"""A clear answer where OpenCV is installed and cannot be loaded."""


def require_opencv() -> None:
    """Imports cv2, which mmengine and mmcv need.

    Raises:
        ImportError: It cannot be loaded; on machines without a display
            ``opencv-python`` lacks libGL, and the message says what to install.
    """
    try:
        import cv2  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f'OpenCV cannot be loaded: {error}. On a machine without a display use its headless '
            'build: pip uninstall -y opencv-python opencv-python-headless && '
            'pip install opencv-python-headless'
        ) from error
