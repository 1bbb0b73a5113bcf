"""The steps that the bench of the request path times are there."""

import inspect

import pytest

from path import STEPS, _found


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step[1])
def test_a_timed_step_is_there(step):
    holder, name, label, waits = _found(*step)
    assert label
    assert inspect.iscoroutinefunction(getattr(holder, name)) is waits
