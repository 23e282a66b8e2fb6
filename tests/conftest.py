"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes depends on what else the machine does; a slow one is no failure.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")
