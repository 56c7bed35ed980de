"""Objects followed through the frames of a film, without any training for it."""

from .follow import Followed, follow, follow_prompts
from .tracks import FollowSettings
