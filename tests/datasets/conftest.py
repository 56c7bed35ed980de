"""What mmengine logs, which goes its own way past pytest's ``caplog``."""

import pytest
from mmengine.logging import MMLogger


@pytest.fixture
def log(caplog):
    """``caplog`` with what mmengine's current logger says."""
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)
