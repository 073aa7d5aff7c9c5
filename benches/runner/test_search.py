"""`python3 -m unittest discover benches/runner -t benches`"""

import math
import unittest

from . import figures, load, search


class Largest(unittest.TestCase):
    def test_is_found_within_the_precision(self):
        for limit in (10, 37, 100, 640, 999):
            found = search.largest(lambda size, limit=limit: size <= limit, 10, 1_000)
            self.assertLessEqual(found, limit)
            self.assertGreaterEqual(found, limit * 0.95 - 1)

    def test_ends_at_most(self):
        self.assertEqual(search.largest(lambda size: True, 10, 700), 700)

    def test_is_zero_if_nothing_is_carried(self):
        self.assertEqual(search.largest(lambda size: False, 10, 700), 0)

    def test_forgives_one_hiccup(self):
        seen = []

        def hiccup(size):
            seen.append(size)
            return len(seen) != 1

        self.assertEqual(search.largest(hiccup, 10, 40), 40)

    def test_is_bounded(self):
        runs = []
        search.largest(lambda size: runs.append(size) or size <= 777, 1, 100_000)
        self.assertLess(len(runs), 40)


class Figures(unittest.TestCase):
    def test_medians_pass_over_what_was_not_measured(self):
        runs = [{"a": {"b": 1}}, {"a": {"b": 3}}, {"a": None}, {}]
        self.assertEqual(figures.of(runs, "a", "b"), 2)
        self.assertTrue(math.isnan(figures.of(runs, "c")))

    def test_a_run_holds_only_if_everybody_joined_and_got_media(self):
        run = {"clients_failed": 0, "packets_received": 5, "loss_ratio": 0.001}
        self.assertTrue(load.holds(run))
        self.assertFalse(load.holds(None))
        for change in ({"clients_failed": 1}, {"packets_received": 0}, {"loss_ratio": 0.002}):
            self.assertFalse(load.holds({**run, **change}))


if __name__ == "__main__":
    unittest.main()
