"""How deep property tests dig: a hundred examples in every run, all of them in `make test-slow`.

Both are the same examples in every run, and no clock stops one: machines are busy.
"""

from hypothesis import settings

_EVERY_RUN, _FULL = 100, 1_000
settings.register_profile("default", settings.get_profile("ci"), max_examples=_EVERY_RUN)
settings.register_profile("full", settings.get_profile("ci"), max_examples=_FULL)
settings.load_profile("default")


def examples(full: int) -> int:
    """The number for a test that digs deeper than others where there is time."""
    is_full = settings.get_current_profile_name() == "full"
    return full if is_full else min(full, _EVERY_RUN)
