"""The tables hold what the papers printed, and contrasts say what moved between two rows."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from recipes.base.reading import EvidenceError
from recipes.effects.columns import columns
from recipes.evidence import contrasts as pairs
from recipes.evidence.tables import Cell, load_papers, parse_paper

from . import support

SOURCE = support.ROOT.parent / "shared" / "evidence"

# Copied from the transcriptions (one or more cells per paper): table, arm, metric, printed
# value.
SPOT_CHECKS = """
aimv2.table8 | DFN-CLIP ViT-H/14 | icl_4 | 62.5
allava.readme_benchmarks | ALLaVA-StableLM2 | mllm_bench | 39.3
blip3.table5 | MLP + 2x2 pooling | hallucination_avg | 62.7
blip3_kale.table2 | LAION-COCO | mmbench | 55.58
brave.table5 | A3 no encoder dropout | vqav2 | 81.3
bunny.readme_eval | Bunny-v1.1-4B | mmbench_dev | 74.2
cambrian1.table10 | OpenAI CLIP ViT-L/14@336 | ocrbench | 30.2
cambrian1.table10 | OpenCLIP ConvNeXt-L@1024 | mmbench | 12.94
cambrian1.table11 | OpenAI CLIP ViT-L/14@336 | mmmu | 35.0
cambrian1.table11 | SigLIP ViT-SO400M/14@384 | mmmu | 36.09
cambrian1.table11 | SigLIP ViT-SO400M/14@384 | mme_perception | 1455.64
cambrian1.table2 | 350k | knowledge | 51.4
cobra.table5 | w/ PT+FT | vqav2 | 75.7
cogvlm.table4 | visual encoder: EVA2-L | okvqa | 59.2
comm.table6 | DINOv2 w/ MLP Ratio 4 | pope_pop | 84.2
convllava.table3 | ConvNeXt-L 512 | textvqa | 55.1
deepseek-vl.table8 | 8K | avg5 | 55.1
docowl-1.5.table3 | DocOwl-1.5-Chat | tabfact | 80.2
eagle.readme_plus | LLaVA-NeXT / Llama 3-8B | realworldqa | 60.1
fastvlm.table4 | C.N-L 320 | gqa | 61.9
ferret-v2.table5 | + AnyRes. Refer | ferret_bench | 72.6
finevision.table1 | Cambrian-7M | avg11 | 44.6
florence-vl.table3 | Florence-VL 7B | realworldqa | 60.4
fusion.readme | FUSION-X 3B (ours) | cvbench | 78.3
honeybee.table8 | Resampler 400 | seed | 61.5
idefics2.table1 | Llama-1-7B | avg4 | 62.5
idefics2.table1 | Mistral-7B | avg4 | 67.6
idefics2.table2 | CLIP-ViT-H | avg4 | 57.4
idefics2.table2 | SigLIP-SO400M | avg4 | 60.7
idefics2.table3 | Fully autoreg. \\| LoRA | avg4 | 69.5
idefics3.figure5 | Idefics2-70B | mmstar | 58.1
inference-optimal-vlm.table1 | TokenPacker, 36 | pope | 83.3
infinity-mm.table6 | w/o Synthetic Data | ocrbench | 766
internvl.table12 | IViT-6B, MLP, V-7B, 665K | mme_perception | 1022.3
internvl2_5.table9_v2 | InternVL2-Llama3-76B | mmvet | 65.7
internvl3.table12 | V2PE, delta 1/256 | textvqa | 78.0
internvl3_5.table15 | InternVL3.5-1B-Instruct | dynamath | 8.4
ixc2-4khd.table6 | HD25->HD30 | mme | 2173
law-vision-rep.table5 | SigLIP2 Large | textvqa | 47.2
llama-vid.readme_image | LLaMA-VID Vicuna-13B, 336 | pope | 86.0
llava-more.readme_perf | LLaVA-v1.5-7B | seed_video | 42.0
llava-onevision-1_5.table2 | RICE-ViT ViT-L-14-560px | livexivqa | 53.0
llava-onevision.table3 | LLaVA-OV-0.5B (SI) | image_dc | 83.0
llava-pp.results | LLaVA-v1.5-7B | seed_video | 37.3
llava-stf.main | LLaVA1.5 (100% tokens) | gqa | 62.0
llava-uhd-v2.table2 | + Token organization | mme_perception_pct | 73.6
llava-uhd-v3.readme1 | MoonViT, 512 | seed_image | 73.92
llava-uhd.table2 | LLaVA-UHD w/ MLP | pope | 89.2
llava1_5.table3 | Qwen-VL | vizwiz | 35.2
llava_next.abl_batch | Qwen-1.5 4B, batch 128 | mme | 75.0
llavar.encoder_image | (g) | stvqa | 35.8
llm2clip.table5 | Llava (Rep.) | gqa | 62.86
lvis_instruct4v.modelzoo | mix730k, 7B | gqa | 62.6
lynx.table3 | w/ cross-attn | openvqa_reasoning | 11
m3.table2 | M3 36 | mmbench | 68.56
mage-vl.table9 | (A) SFT Only (Zero-Vision) | ocrbench | 63.4
mammoth-vl.tableA4 | Original | mmmu | 40.4
mini-gemini.table2 | Baseline 336 | mme_perception | 1510.7
minicpm-v.table6 | w/o RLAIF-V | llava_bench | 85.4
mipha.readme1 | Mipha-3B | scienceqa | 70.9
mlcd.table8 | Qwen2-72B, Ours | llava_wild | 66.0
mm1.figure4 | Att. Pool (336px, 64tks) | avg_4shot | 56
mm1.table1 | AIM_600M | avg_0shot | 36.6
mm1.table1 | CLIP_DFN+VeCap ViT-H 336 | avg_8shot | 66.3
mm1_5.table3 | Row 3: index, before | knowledge | 52.7
mm_self_instruct.table4 | Vanilla Llava | chartqa | 19.9
mmevol.readme1 | MMEvol-Qwen2-7B | pope | 87.8
mmfuser.main | LLaVA-1.5, Vicuna-7B | gqa | 62.0
mobilevlm-v2.readme_zoo | MobileVLM-1.7B | mmbench_dev | 53.2
moe-llava.table7 | StableLM, MoE | mmbench | 60.2
molmo.table2a | SigLIP-So400m 384px | avg11 | 77.1
molmo2.table6 | Molmo2-O-7B | mmmu | 45.8
mova.table1 | Plain fusion | slake | 64.7
mqt-llava.secondary | MQT-LLaVA, 36 | scienceqa | 66.8
nvila.table3 | 30% Cluster | docvqa | 84.1
nvlm.table7 | NVLM-H 1.0 72B | realworldqa | 66.0
ola-vlm.readme | OLA-VLM Phi3-4k-mini CLIP-ViT-L (PT + IFT) | realworldqa | 58.0
omnialign-v.dataset_performance | LLaVANext, LLaVANext-778k, Qwen2.5-32B | mmvet | 47.7
omnicorpus.table3 | 600M | avg4_4shot | 55.1
open-llava-next.readme | open-llava-next-vicuna-7b | mmbench | 68.5
open-qwen2vl.table6 | Trainable | mmmu | 36.1
openvision.table2 | DataComp-1B-CLIP L/14 224 | seed | 70.2
openvision2.readme | OpenVision 2 L/14 336 | scienceqa | 77.5
openvision3.table8 | LLaVA-NeXT, OpenVision 3 VAE + B/2 | pope | 84.4
ovis.table1_2 | Ovis-Clip-Llama3-8B | mmstar | 49.5
paligemma.section5_5 | linear, FF (freeze everything but the connector) | avg_transfer | 70.7
paligemma2.table13 | 3B, 448px² | refcoco_testb | 73.5
pe.table11 | PElangL 448/14 | flickr_cider | 93.4
points.table1 | none | ocrbench | 48.9
prismatic.visual_representation | CLIP ViT-L 224px | refcoco_plus | 53.69
ps3.table1 | PS3 756, 729 tokens, select 100% / 100% | infovqa | 33.9
qianfan-vl.table7 | Qianfan-VL-70B | mathvision | 50.29
qwen2_5_vl.table3 | Qwen2.5-VL-7B | mmstar | 63.9
qwen2_vl.table3 | Qwen2-VL-72B | ocr_italian | 89.8
qwen3_vl.table4_single | Qwen3-VL-2B Instruct | realworldqa | 63.9
rice.table1a | RICE ViT-L-14-336px | ocr_avg | 56.18
s2.table1 | LLaVA-1.5-13B | vizwiz | 53.6
sharegpt4v.table4 | pre-training yes, SFT no | mmbench | 67.4
siglip2.table6 | So400m/14 224px, SigLIP | refcoco_plus_testa | 69.0
slime.table1 | SliME-7B | mmbench | 69.32
svit.modelzoo | SVIT-v1.5-LoRA | mmbench | 68.3
texthawk.resa | 256 → 16, no rearrangement | gqa | 60.05
textsquare.table5 | w/o | vizwiz | 68.2
tinyllava.factory_readme | siglip-so400m-patch14-384 + gemma-2b-it base | gqa | 61.6
tokenpacker.table1 | LLaVA-1.5 7B | mmbench | 64.3
ureader.table_ablation | r3 | textvqa | 54.9
vary.table2 | Vary-base (80k) | chartqa_aug | 87.3
videollama3.readme_image | VideoLLaMA3 2B | docvqa | 91.9
vila.table5 | VILA-13B +ShareGPT4V | pope | 84.8
viral.benchmarks | LLaVA-1.5 (SigLIPv2) | mmvp | 28.2
vision_flan.table6 | VISION-FLAN CHAT | mmbench | 67.6
vitamin.readme_llava | ViTamin-L 384 | vqav2 | 78.9
web-ssl.table8 | Web-DINO ViT-7B (4B Data) | ai2d | 67.09
xmodel-vlm.table8 | 72 | mmbench | 45.3
xtuner-llava.readme_llm | LLaVA-v1.5-13B (XTuner) | mmvet | 35.9
"""


class Cells(unittest.TestCase):
    def test_spot_checks(self):
        checked = set()
        for line in SPOT_CHECKS.strip().splitlines():
            name, arm, metric, value = (
                part.strip().replace("\0", "|") for part in line.replace("\\|", "\0").split(" | ")
            )
            rows = [row for row in support.table_of(name).rows if row.arm == arm]
            self.assertTrue(rows, line)
            self.assertIn(float(value), [row.scores[metric] for row in rows], line)
            checked.add(pathlib.Path(support.table_of(name).file).stem)
        self.assertEqual(checked, {paper.key for paper in support.papers()})

    @unittest.skipUnless(SOURCE.is_dir(), "the transcriptions are not beside this checkout")
    def test_every_cell_is_the_transcribed_one(self):
        """Arms and scores of every table, compared with the transcription without going through the
        migration.
        """
        ours = {table.id: table for paper in support.papers() for table in paper.tables}
        seen = 0
        for path in sorted(SOURCE.glob("*.json")):
            for table in json.loads(path.read_text(encoding="utf-8"))["tables"]:
                mine = ours.pop(table["id"])
                self.assertEqual(mine.locator, table["locator"])
                self.assertEqual(
                    [row.arm for row in mine.rows],
                    [row["arm"] for row in table["rows"]],
                    table["id"],
                )
                for row, printed in zip(mine.rows, table["rows"]):
                    for key, value in printed["scores"].items():
                        self.assertEqual(
                            repr(row.scores.get(key)), repr(value), (table["id"], row.arm, key)
                        )
                        seen += value is not None
                    self.assertLessEqual(
                        {k for k, v in row.scores.items() if v is not None}, set(printed["scores"])
                    )
        self.assertEqual(ours, {})
        self.assertEqual(
            seen,
            sum(
                v is not None
                for p in support.papers()
                for t in p.tables
                for r in t.rows
                for v in r.scores.values()
            ),
        )

    @unittest.skipUnless(SOURCE.is_dir(), "the transcriptions are not beside this checkout")
    def test_the_migration_gives_these_files(self):
        with tempfile.TemporaryDirectory() as folder:
            for step in ("papers", "models", "mixes", "prose"):
                subprocess.run(
                    [
                        sys.executable,
                        "-m",
                        f"tests.migrate.{step}",
                        str(SOURCE),
                        folder,
                    ],
                    check=True,
                    capture_output=True,
                    cwd=support.ROOT,
                )
            made = {str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*.json")}
            # the registry also holds what was read from other sources than the papers
            papers = {path.name for path in support.TABLES.glob("*.json")}
            self.assertEqual({name for name in made if "/" not in name}, papers)
            self.assertLess(
                {"registry/benchmarks.json", "registry/components.json", "registry/models.json"},
                made,
            )
            for name in made:
                self.assertEqual(
                    (pathlib.Path(folder) / name).read_bytes(),
                    (support.TABLES / name).read_bytes(),
                    name,
                )

    def test_a_cell_points_to_itself(self):
        table = support.table_of("cambrian1.table11")
        row = next(row for row in table.rows if row.arm.startswith("SigLIP ViT-SO400M"))
        pointer = Cell(table, row, table.metrics["mmmu"], row.scores["mmmu"]).pointer
        value = support.raw_paper("cambrian1")
        for part in pointer.strip("/").split("/"):
            value = value[int(part)] if isinstance(value, list) else value[part]
        self.assertEqual(value, 36.09)

    def test_values_are_frozen(self):
        table = support.table_of("mm1.table1")
        with self.assertRaises(AttributeError):
            table.locator = "Table 9"
        with self.assertRaises(AttributeError):
            table.rows[0].arm = "x"

    def test_only_named_papers_are_read(self):
        keys = {
            paper.key
            for paper in load_papers([support.TABLES], {}, {"mm1", "m3"}, shipped=support.TABLES)
        }
        self.assertEqual(keys, {"mm1", "m3"})


class Schema(unittest.TestCase):
    GOOD = {
        "format": 2,
        "paper": {"key": "p"},
        "tables": [
            {
                "id": "p.t",
                "locator": "T",
                "varies": ["llm"],
                "setting": {},
                "metrics": {"mmmu": {"benchmark": "mmmu"}},
                "rows": [{"arm": "a", "set": {}, "scores": {"mmmu": 1}}],
            }
        ],
    }

    def refused(self, change, pointer: str):
        data = json.loads(json.dumps(self.GOOD))
        change(data)
        with self.assertRaises(EvidenceError) as caught:
            parse_paper(data, "p.json", {})
        self.assertEqual(caught.exception.pointer, pointer)

    def test_what_is_missing_or_wrong_is_named_by_its_pointer(self):
        parse_paper(self.GOOD, "p.json", {})
        self.refused(lambda d: d.pop("format"), "/format")
        self.refused(lambda d: d.update(paper=[]), "/paper")
        self.refused(lambda d: d["paper"].pop("key"), "/paper/key")
        self.refused(lambda d: d.update(tables={}), "/tables")
        self.refused(lambda d: d["tables"].append(3), "/tables/1")
        self.refused(lambda d: d["tables"][0].update(rows=None), "/tables/0/rows")
        self.refused(lambda d: d["tables"][0]["rows"].append("x"), "/tables/0/rows/1")
        self.refused(lambda d: d["tables"][0]["rows"][0].pop("arm"), "/tables/0/rows/0/arm")
        self.refused(
            lambda d: d["tables"][0]["rows"][0]["scores"].update(mmmu="12"),
            "/tables/0/rows/0/scores/mmmu",
        )
        self.refused(
            lambda d: d["tables"][0]["rows"][0]["scores"].update(mmmu=True),
            "/tables/0/rows/0/scores/mmmu",
        )
        self.refused(
            lambda d: d["tables"][0]["rows"][0]["scores"].update({"a/b": 1}),
            "/tables/0/rows/0/scores/a~1b",
        )
        self.refused(lambda d: d["tables"][0]["metrics"].update(mmmu=7), "/tables/0/metrics/mmmu")


class Contrasts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.axis_of = {
            key: record["axis"]
            for key, record in support.library().words.records("setting").items()
        }

    def between(self, table: str, a: str, b: str, metric: str):
        return next(
            c
            for c in pairs.contrasts(support.table_of(table), self.axis_of)
            if c.from_row.arm == a and c.to_row.arm == b and c.metric.key == metric
        )

    def test_encoder_and_resolution_move_together(self):
        found = self.between("idefics2.table2", "CLIP-ViT-H", "SigLIP-SO400M", "avg4")
        self.assertAlmostEqual(found.delta, 3.3)
        self.assertEqual(found.moved.axes, ("encoder", "resolution"))
        self.assertFalse(found.controlled)

    def test_one_axis_is_controlled(self):
        found = self.between("idefics2.table1", "Llama-1-7B", "Mistral-7B", "avg4")
        self.assertAlmostEqual(found.delta, 5.1)
        self.assertEqual(found.moved.axes, ("llm",))
        self.assertTrue(found.controlled)

    def test_moved(self):
        axis_of = {
            "encoder": "encoder",
            "resolution": "resolution",
            "visual_tokens": "visual_tokens",
            "note": "describes",
            "lr": "training",
        }
        moved = lambda a, b: pairs.moved(a, b, axis_of)
        self.assertEqual(moved({"encoder": "x"}, {"encoder": "x"}).axes, ())
        self.assertEqual(
            moved({"encoder": "x", "note": 1}, {"encoder": "y", "note": 2}), (("encoder",), (), ())
        )
        self.assertEqual(
            moved({"encoder": "x"}, {"encoder": "y", "resolution": 336}),
            (("encoder",), ("resolution",), ()),
        )
        self.assertFalse(moved({"encoder": "x"}, {"encoder": "y", "resolution": 336}).controlled)
        finer = moved(
            {"resolution": 336, "visual_tokens": 576}, {"resolution": 672, "visual_tokens": 2304}
        )
        self.assertEqual(finer, (("resolution",), (), ("visual_tokens",)))
        self.assertTrue(finer.controlled)
        self.assertEqual(
            moved({"lr": 1, "encoder": "x"}, {"lr": 2, "encoder": "y"}).axes,
            ("encoder", "training"),
        )

    def test_lower_is_better_turns_the_sign(self):
        for paper in support.papers():
            for table in paper.tables:
                for metric in pairs.evidence_metrics(table):
                    if not metric.higher_is_better:
                        found = next(pairs.contrasts(table, self.axis_of, [metric]), None)
                        if found:
                            a, b = (
                                found.from_row.scores[metric.key],
                                found.to_row.scores[metric.key],
                            )
                            self.assertEqual(found.delta, a - b)
                            return
        self.fail("no metric where lower is better")

    def test_derived_averages_are_not_evidence(self):
        cambrian = {
            metric.key for metric in pairs.evidence_metrics(support.table_of("cambrian1.table11"))
        }
        self.assertNotIn("avg16", cambrian)  # its 16 parts are printed
        self.assertIn("mmmu", cambrian)
        # its parts are not
        self.assertEqual(
            [m.key for m in pairs.evidence_metrics(support.table_of("idefics2.table1"))], ["avg4"]
        )

    def test_a_run_printed_twice_is_one_row(self):
        """LLaVA-1.5's own tables repeat runs: no column holds one run twice, and some run is
        printed in two tables.
        """
        repeated = 0
        for paper in support.papers():
            runs: dict[str, set] = {}
            for table in paper.tables:
                for row in table.rows:
                    if row.run:
                        runs.setdefault(row.run, set()).add(table.id)
            repeated += sum(len(where) > 1 for where in runs.values())
        self.assertGreater(repeated, 20)
        for column in columns(support.papers(), support.library().words):
            names = [row.run for row in column.rows if row.run]
            self.assertEqual(len(names), len(set(names)), (column.paper, column.benchmark))

    def test_a_comparison_that_a_later_paper_prints_again_counts_once(self):
        """LLaVA-OneVision-1.5 prints RICE's rows on DocVQA again, and no further one."""
        words = support.library().words

        def tables(*papers: str) -> set[str]:
            some = [paper for paper in support.papers() if paper.key in papers]
            found = [c for c in columns(some, words) if c.benchmark == "docvqa"]
            return {table for column in found for table in column.tables}

        again = "llava-onevision-1_5.table2"
        self.assertIn(again, tables("llava-onevision-1_5"))
        self.assertNotIn(again, tables("llava-onevision-1_5", "rice"))
        self.assertIn("rice.table1a", tables("llava-onevision-1_5", "rice"))

    def test_doubtful_cells_are_left_out(self):
        doubts = [
            (table, row)
            for paper in support.papers()
            for table in paper.tables
            for row in table.rows
            if row.doubt
        ]
        self.assertTrue(doubts)
        for table, row in doubts:
            for found in pairs.contrasts(table, self.axis_of):
                if row in (found.from_row, found.to_row):
                    self.assertFalse(pairs.doubtful(row, found.metric.key))


if __name__ == "__main__":
    unittest.main()
