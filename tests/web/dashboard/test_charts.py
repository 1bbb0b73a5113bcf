"""Charts: what is drawn can be told from the numbers."""

import math
import re

from endcap.web.dashboard import charts


def strokes(markup):
    (path,) = re.findall(r'd="M([^"]*)" class="stroke"', str(markup))
    return [tuple(map(float, point.split(","))) for point in path.split(" L")]


def test_a_line_in_its_band_is_never_cut_off():
    points = [("a", 1.1, 2.4, 5.9), ("b", 1.6, 2.9, 4.9), ("c", 1.7, 2.7, 4.0)]
    drawn = strokes(charts.band(points, "Lift"))
    heights = [y for _, y in drawn]
    assert len(set(heights)) == 3
    assert sorted(heights) == [heights[1], heights[2], heights[0]]  # the highest lift is on top
    assert all(charts.TOP <= y <= charts.HEIGHT - charts.BOTTOM for y in heights)


def test_a_wide_band_does_not_flatten_its_line():
    points = [("a", -0.9, 0.02, 40.0), ("b", -0.5, 0.05, 9.0), ("c", -0.2, 0.04, 1.0)]
    heights = [y for _, y in strokes(charts.band(points, "Lift"))]
    assert max(heights) - min(heights) > 10


def test_days_without_a_band_are_left_out():
    unknown = ("a", math.nan, 0.1, math.nan)
    assert "Not enough days" in str(charts.band([unknown, ("b", 0.0, 0.1, 0.2)], "Lift"))
    both = [unknown, ("b", 0.0, 0.1, 0.2), ("c", 0.0, 0.1, 0.2)]
    assert len(strokes(charts.band(both, "Lift"))) == 2


def test_steps_say_their_share_of_the_one_before_in_full():
    drawn = str(charts.funnel([("Served", 200), ("In the cart", 50)], "Steps"))
    assert ">In the cart, 25.0%<" in drawn
