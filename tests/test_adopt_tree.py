"""The decision tree of released models, and adopt or train beside a pick."""

import unittest

from recipes.released import models as released
from recipes.released import ranking as landscape
from recipes.terms.tasks import parse_mix
from tests import support

from .test_landscape import RAW, changed, land, ranking


class Tree(unittest.TestCase):
    def test_leaves_are_the_ranking(self):
        branches = landscape.tree(land(), released.Need())
        self.assertEqual([b.tasks for b in branches], [mix for _, mix, _ in landscape.BRANCHES])
        for branch, (_, mix, properties) in zip(branches, landscape.BRANCHES):
            self.assertEqual(len(branch.leaves), 3)
            for leaf, (size, _) in zip(branch.leaves, landscape.SIZES):
                found = ranking(mix, released.Need(under_b=size, properties=properties))
                self.assertEqual(
                    [r.model.key for r in leaf.best], [r.model.key for r in found if r.tie == 1][:3]
                )
                self.assertEqual(leaf.compared, len(found))

    def test_a_new_model_changes_the_leaf(self):
        def better(models):
            for s in models["moondream2"]["scores"]:
                s["value"] = 0.99 * s.get("max", RAW["benchmarks"][s["benchmark"]]["max"])
            models["moondream2"]["scores"].append(
                {
                    **models["qwen2.5-vl-7b"]["scores"][0],
                    "benchmark": "videomme",
                    "split": "wo-subs",
                    "value": 99.0,
                }
            )
            models["moondream2"]["video"] = True

        video = next(
            b for b in landscape.tree(changed(better), released.Need()) if b.tasks == "video"
        )
        self.assertEqual({leaf.best[0].model.key for leaf in video.leaves}, {"moondream2"})

    def test_limits_narrow_it(self):
        branches = landscape.tree(land(), released.Need(under_b=8))
        self.assertEqual([leaf.label for leaf in branches[0].leaves], ["under 5B", "under 8B"])
        for branch in branches:
            for leaf in branch.leaves:
                self.assertTrue(all(r.model.params_b < 8 for r in leaf.best))


class Adopt(unittest.TestCase):
    def test_limits(self):
        words = support.library().words
        mix = parse_mix("documents", words)
        found = landscape.adopt(landscape.Landscape(words), mix, released.Need(5), count=4)
        self.assertEqual(
            [r.model.key for r in found.ranked],
            [r.model.key for r in ranking("documents", released.Need(under_b=5))[:4]],
        )
        self.assertEqual(len(found.ranked[0].cells), len(found.wanted))
        small = landscape.adopt(
            landscape.Landscape(words), mix, released.Need(memory_gb=4, dtype="int4"), count=100
        )
        self.assertTrue(
            small.ranked
            and all(released.held(land(), r.model, "int4").gb <= 4 for r in small.ranked)
        )
        some = landscape.adopt(
            landscape.Landscape(words), mix, count=100, meets=lambda m: m.key.startswith("qwen")
        )
        self.assertTrue(some.ranked)
        self.assertTrue(all(r.model.key.startswith("qwen") for r in some.ranked))
        with self.assertRaises(landscape.NothingPrinted):
            landscape.adopt(landscape.Landscape(words), parse_mix("captions", words))


if __name__ == "__main__":
    unittest.main()
