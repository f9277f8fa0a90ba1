"""Training the translator: its losses against loops, resume, what is computed once and kept."""

from __future__ import annotations

import json
import math
import os
import signal

import pytest
import torch

from canner.data.translation_pairs import PairExample
from canner.decoding.neural_translator import NeuralTranslator
from canner.models.convs2s import ConvS2SConfig
from canner.text.alignments import read_alignments
from canner.text.copying import Copier
from canner.text.segmentation import Segment
from canner.training import translator as module
from canner.training import translator_data
from canner.training.schedule import TrainingConfig
from canner.training.translator import (
    TranslatorDataConfig,
    TranslatorExperiment,
    TranslatorTask,
    guided_alignment_loss,
    train_translator,
    translation_loss,
)
from canner.training.translator_data import segmented_pairs, with_english_by
from canner.transfer.gloss import GlossConfig, WordGloss
from canner.transfer.lexicon import Entry, Lexicon

PAIRS = [
    ("el gato duerme", "the cat sleeps"),
    ("el perro come", "the dog eats"),
    ("Ana come", "Ana eats"),
    ("Zoraida duerme", "Zoraida sleeps"),
    ("un gato come", "a cat eats"),
    ("un perro duerme", "a dog sleeps"),
]


@pytest.fixture
def files(tmp_path):
    for part, repeat in (("train", 4), ("dev", 1)):
        for side, language in enumerate(("es", "en")):
            text = "".join(pair[side] + "\n" for pair in PAIRS * repeat)
            (tmp_path / f"{part}.{language}").write_text(text, encoding="utf-8")
    return tmp_path


def config(files, data=None, training=None, **changes):
    names = {
        f"{part}_{side}": str(files / f"{part}.{language}")
        for part in ("train", "dev")
        for side, language in (("source", "es"), ("target", "en"))
    }
    sizes = {
        "source_pieces": 120,
        "target_pieces": 120,
        "batch_tokens": 40,
        "copy_min_count": 6,
        "max_pieces": 60,
    }
    steps = {
        "learning_rate": 0.01,
        "metric": "loss",
        "mode": "min",
        "max_epochs": 2,
        "average": 0.9,
        **(training or {}),
    }
    return TranslatorExperiment(
        data=TranslatorDataConfig(**{"source_language": "es", **names, **sizes, **(data or {})}),
        model=ConvS2SConfig(
            embed_dim=8, hidden_dim=8, encoder_layers=1, decoder_layers=2, dropout=0.2, max_positions=64
        ),
        training=TrainingConfig(**steps),
        **changes,
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.4])
def test_translation_loss_by_its_definition(smoothing):
    torch.manual_seed(0)
    logits, target = torch.randn(2, 3, 5), torch.tensor([[1, 4, 0], [2, 0, 0]])
    terms = []
    for row in range(2):
        for step in range(3):
            if target[row, step] == 0:
                continue
            log_probabilities = logits[row, step].log_softmax(-1)
            wanted = [smoothing / 5 + (1 - smoothing) * (k == target[row, step]) for k in range(5)]
            terms.append(-sum(float(w) * float(p) for w, p in zip(wanted, log_probabilities, strict=True)))
    loss = translation_loss(logits, target, label_smoothing=smoothing)
    assert float(loss) == pytest.approx(sum(terms) / len(terms), rel=1e-5)


def test_label_smoothing_prefers_doubt_to_certainty():
    target = torch.tensor([[1]])
    sure, doubtful = torch.tensor([[[0.0, 50.0, 0.0]]]), torch.tensor([[[0.0, 3.0, 0.0]]])
    loss = lambda logits, smoothing: float(  # noqa: E731
        translation_loss(logits, target, label_smoothing=smoothing)
    )
    assert loss(sure, 0.0) < loss(doubtful, 0.0)
    assert loss(sure, 0.2) > loss(doubtful, 0.2)


def test_guided_loss_against_a_loop():
    torch.manual_seed(1)
    attention = torch.randn(3, 4, 5).softmax(-1)
    aligned = (torch.rand(3, 4, 5) < 0.3).float()
    aligned[0, 1] = 0.0  # a target piece without any link says nothing
    terms = []
    for row in range(3):
        for target in range(4):
            linked = [s for s in range(5) if aligned[row, target, s]]
            if linked:
                terms.append(-math.log(sum(float(attention[row, target, s]) for s in linked)))
    assert 0 < len(terms) < 12
    assert float(guided_alignment_loss(attention, aligned)) == pytest.approx(
        sum(terms) / len(terms), abs=1e-4
    )


def test_guided_loss_is_least_where_attention_is_the_alignment():
    aligned = torch.eye(4)[None]
    spread = torch.full((1, 4, 4), 0.25)
    assert float(guided_alignment_loss(aligned, aligned)) == pytest.approx(0.0, abs=1e-5)
    assert float(guided_alignment_loss(spread, aligned)) == pytest.approx(math.log(4), abs=1e-4)


def tiny_task(files, **changes):
    # ids from 20 on are pieces; what they spell does not matter here
    pairs = [PairExample([20 + k, 21, 22], [23, 24 + k], [(0, 1), (1, 0)]) for k in range(5)]
    settings = config(files, **changes)
    source = module.Subwords.train([p[0].split() for p in PAIRS], vocab_size=120)
    target = module.Subwords.train([p[1].split() for p in PAIRS], vocab_size=120)
    torch.manual_seed(3)
    model = module.ConvS2S(settings.model, num_source_pieces=len(source), num_target_pieces=len(target))
    translator = NeuralTranslator(model, source, target, Copier([]))
    return TranslatorTask(translator, settings, pairs, pairs[:3], PAIRS[:2], "cpu")


def test_guidance_is_added_to_one_layer_only(files):
    plain, guided = tiny_task(files), tiny_task(files, guided_alignment=0.5, guided_layer=0)
    for task in (plain, guided):
        task.model.eval()
    batch = guided._collate([guided.train[i] for i in (0, 1)], with_links=True)
    _, attentions = guided.model(batch.source, batch.source_mask, batch.target_in)
    extra = 0.5 * guided_alignment_loss(attentions[0], batch.aligned)
    (without, count), (with_guidance, same_count) = plain.loss([0, 1]), guided.loss([0, 1])
    assert float(with_guidance.detach()) == pytest.approx(float((without + extra).detach()), rel=1e-5)
    assert float(extra.detach()) != pytest.approx(
        0.5 * float(guided_alignment_loss(attentions[1], batch.aligned).detach()), rel=1e-4
    )
    assert count == same_count == 6  # target pieces with their ends


def test_the_step_that_reads_a_word_is_guided_to_what_the_word_is_aligned_with(files):
    plain, guided = tiny_task(files), tiny_task(files, guided_alignment=0.5, guided_reading="read")
    for task in (plain, guided):
        task.model.eval()
    batch = guided._collate([guided.train[i] for i in (0, 1)], with_links=True)
    _, attentions = guided.model(batch.source, batch.source_mask, batch.target_in)
    masses = []
    for row, example in enumerate([guided.train[0], guided.train[1]]):
        for target in range(len(example.target)):  # the step after the last word's reads <eos>: there is none
            linked = [s for s, t in example.links if t == target]
            masses.append(sum(float(attentions[-1][row, target + 1, s].detach()) for s in linked))
    extra = -0.5 * sum(math.log(mass + 1e-6) for mass in masses) / len(masses)
    difference = guided.loss([0, 1])[0] - plain.loss([0, 1])[0]
    assert float(difference.detach()) == pytest.approx(extra, rel=1e-4)


def test_guidance_moves_attention_to_the_alignment(files):
    task = tiny_task(files, guided_alignment=1.0)
    task.model.train()
    optimizer = torch.optim.Adam(task.model.parameters(), lr=0.05)
    for _ in range(25):
        optimizer.zero_grad()
        task.loss([0, 1, 2, 3, 4])[0].backward()
        optimizer.step()
    task.model.eval()
    batch = task._collate(task.train, with_links=True)
    _, attentions = task.model(batch.source, batch.source_mask, batch.target_in)
    mass = (attentions[-1] * batch.aligned).sum(-1)
    assert float(mass.mean().detach()) > 0.7


def test_validation_does_not_depend_on_the_size_of_batches(files):
    whole, one_by_one = tiny_task(files), tiny_task(files, data={"batch_tokens": 10})
    for task in (whole, one_by_one):
        task.model.eval()
    with torch.no_grad():
        assert whole.validate() == pytest.approx(one_by_one.validate(), rel=1e-4)


def interrupt_at(monkeypatch, step):
    """Ctrl-C in the middle of that step."""
    loss, count = TranslatorTask.loss, iter(range(1, 10**6))

    def counting(self, batch):
        if next(count) == step:
            os.kill(os.getpid(), signal.SIGINT)
        return loss(self, batch)

    monkeypatch.setattr(TranslatorTask, "loss", counting)


@pytest.mark.filterwarnings("ignore:this build of eflomal")
def test_an_interrupted_run_is_taken_up_and_aligns_only_once(files, monkeypatch):
    aligned = []

    def diagonal(source, target, seed, **options):
        aligned.append(len(source))
        return [[(k, k) for k in range(min(len(s), len(t)))] for s, t in zip(source, target, strict=True)]

    monkeypatch.setattr(translator_data, "align_words", diagonal)
    settings = config(files, guided_alignment=0.3)
    whole = train_translator(settings, files / "whole", progress=False)
    assert whole.stopped == "finished"

    with monkeypatch.context() as patch:
        interrupt_at(patch, 3)
        first = train_translator(settings, files / "parts", progress=False)
    assert (first.stopped, first.steps) == ("interrupted", 3)
    second = train_translator(settings, files / "parts", progress=False)

    assert second.stopped == "finished"
    assert aligned == [24, 24]  # once for each folder: the second call read the file
    assert len(read_alignments(files / "parts" / "alignments.txt")) == 24
    one, other = (NeuralTranslator.load(files / name) for name in ("whole", "parts"))
    assert one.fingerprint == other.fingerprint
    assert whole.best_metric == second.best_metric


def test_alignments_of_other_text_are_not_taken(files, monkeypatch):
    monkeypatch.setattr(translator_data, "align_words", lambda s, t, seed, **options: [[] for _ in s])
    folder = files / "run"
    train_translator(config(files, guided_alignment=0.3, training={"max_epochs": 1}), folder, progress=False)
    with open(files / "train.es", "a") as source, open(files / "train.en", "a") as target:
        source.write("la casa\n")
        target.write("the house\n")
    with pytest.raises(ValueError, match=r"alignments.txt: expected alignments of 25 .* got 24"):
        train_translator(config(files, guided_alignment=0.3), folder, progress=False)


def test_the_folder_is_a_bundle_that_says_how_it_was_made(files):
    result = train_translator(config(files), files / "run", progress=False)
    assert result.history[-1].keys() >= {"loss", "accuracy", "bleu", "chrf"}
    saved = json.loads((files / "run" / "training.json").read_text())
    assert TranslatorExperiment(**saved) == config(files)
    [translation] = NeuralTranslator.load(files / "run").translate([["el", "gato"]])
    assert translation.attention.shape == (2, len(translation.target), 2)


def test_training_without_usable_pairs_says_why(files):
    (files / "long.en").write_text("cat " * 200 + "\n", encoding="utf-8")
    (files / "long.es").write_text("gato " * 200 + "\n", encoding="utf-8")
    long = {"train_source": str(files / "long.es"), "train_target": str(files / "long.en")}
    with pytest.raises(ValueError, match=r"expected training pairs .* got none"):
        train_translator(config(files, data=long), files / "a", progress=False)
    for language in ("es", "en"):
        (files / f"dev.{language}").write_text("\n\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"expected development pairs .* got none"):
        train_translator(config(files), files / "b", progress=False)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": {"max_pieces": 64}}, r"data\.max_pieces: expected less than the 64 positions of the model"),
        (
            {"guided_alignment": 0.3, "guided_layer": 2},
            r"guided_layer among 2 decoder layers, got 2; choose one",
        ),
        (
            {"guided_alignment": 0.3, "guided_layer": -3},
            r"guided_layer among 2 decoder layers, got -3; choose",
        ),
    ],
)
def test_what_the_model_does_not_have_is_refused_before_any_work(files, monkeypatch, changes, said):
    monkeypatch.setattr(module, "read_training_pairs", lambda data: pytest.fail("read"))
    with pytest.raises(ValueError, match=said):
        train_translator(config(files, **changes), files / "run", progress=False)
    assert not (files / "run").exists()


def test_a_layer_that_is_not_guided_may_be_any(files):
    train_translator(config(files, guided_layer=7), files / "run", progress=False)
    assert NeuralTranslator.load(files / "run").options.alignment_layer is None


def test_pairs_as_long_as_the_model_reads_are_trained_on_and_longer_ones_not_validated_on(files, monkeypatch):
    tasks = []
    monkeypatch.setattr(module, "fit", lambda task, *arguments, **options: tasks.append(task))
    sides = [" ".join("abcdefghij"[k % 10] for k in range(number)) for number in (63, 64, 200)]
    for name in ("train.es", "train.en", "dev.es", "dev.en"):
        (files / name).write_text("\n".join(sides) + "\n", encoding="utf-8")
    train_translator(
        config(files, data={"max_pieces": 63, "copy_min_count": 1}), files / "run", progress=False
    )
    (task,) = tasks
    assert [len(pair.target) for pair in task.train] == [len(pair.target) for pair in task.dev] == [63]
    task.loss([0])
    with torch.no_grad():
        assert task.validate().keys() == {"loss", "accuracy", "bleu", "chrf"}


def test_it_is_validated_as_the_bundle_translates_but_greedily(files, monkeypatch):
    monkeypatch.setattr(translator_data, "align_words", lambda s, t, seed, **options: [[] for _ in s])
    tasks, fit = [], module.fit
    monkeypatch.setattr(
        module, "fit", lambda task, *rest, **options: tasks.append(task) or fit(task, *rest, **options)
    )
    changes = {"data": {"strip_accents": True}, "guided_alignment": 0.3, "guided_layer": 0}
    train_translator(config(files, **changes), files / "run", progress=False)
    (task,), bundle = tasks, NeuralTranslator.load(files / "run")
    assert task.translator.options == bundle.options.model_copy(update={"beam_size": 1})
    longest = max(len(pair.source) for pair in task.train)
    assert bundle.options.max_source_pieces <= max(8, longest) < 200
    assert (bundle.options.strip_accents, bundle.options.alignment_layer) == (True, 0)
    assert "alignment_layer" not in json.loads((files / "run" / "config.json").read_text())


def test_a_run_is_taken_up_that_was_started_when_validation_translated_otherwise(files, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(module, "_options", lambda settings, examples: module.TranslateOptions())
        first = train_translator(config(files), files / "run", max_minutes=0.0, progress=False)
        assert first.stopped == "time"
    (files / "run" / "config.json").write_text('{"format": 3, "kind": "translator", "alignment_layer": null}')
    assert train_translator(config(files), files / "run", progress=False).stopped == "finished"
    assert NeuralTranslator.load(files / "run").options.max_source_pieces < 200


def test_files_of_unequal_length(files):
    (files / "train.en").write_text("the cat sleeps\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"equal length, got 24 lines in .*train.es and 1 in .*train.en"):
        train_translator(config(files), files / "run", progress=False)
    assert not (files / "run").exists()


def sources_of(folder):
    translator = NeuralTranslator.load(folder)
    return [translator.source_subwords.piece(i) for i in range(len(translator.source_subwords))]


def test_a_translator_of_another_language_is_taken_over_with_its_english(files, tmp_path):
    parent, child = tmp_path / "parent", tmp_path / "child"
    train_translator(config(files), parent, progress=False)
    (files / "train.sw").write_text("paka analala\nmbwa anakula\nAna anakula\n", encoding="utf-8")
    (files / "few.en").write_text("the cat sleeps\nthe dog eats\nAna eats\n", encoding="utf-8")
    data = {
        "source_language": "sw",
        "train_source": str(files / "train.sw"),
        "train_target": str(files / "few.en"),
    }
    settings = config(files, data={"source_pieces": 120, **data}, training={"learning_rate": 1e-7})
    settings = settings.model_copy(update={"start_from": str(parent)})
    train_translator(settings, child, progress=False)
    first, second = NeuralTranslator.load(parent), NeuralTranslator.load(child)
    assert second.source_language == "sw"
    assert sources_of(child) != sources_of(parent)
    pieces = [[t.target_subwords.piece(i) for i in range(len(t.target_subwords))] for t in (first, second)]
    assert pieces[0] == pieces[1]
    # hardly trained, all but the new source embeddings are still the parent's
    theirs, ours = first.model.state_dict(), second.model.state_dict()
    for name in theirs:
        if name != "encoder.tokens.weight":
            assert torch.allclose(ours[name], theirs[name], atol=1e-5), name


def test_the_same_language_goes_on_with_all_that_its_parent_knows(files, tmp_path):
    parent, child = tmp_path / "parent", tmp_path / "child"
    train_translator(config(files), parent, progress=False)
    settings = config(files, training={"learning_rate": 1e-7}, start_from=str(parent))
    deeper = settings.model.model_copy(update={"decoder_layers": 3})
    train_translator(settings.model_copy(update={"model": deeper}), child, progress=False)
    assert sources_of(child) == sources_of(parent)
    assert NeuralTranslator.load(parent).copier.known <= NeuralTranslator.load(child).copier.known
    theirs, ours = (NeuralTranslator.load(folder).model.state_dict() for folder in (parent, child))
    assert torch.allclose(ours["encoder.tokens.weight"], theirs["encoder.tokens.weight"], atol=1e-5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": {"hidden_dim": 12}}, "hidden_dim"),
        ({"model": {"kernel_width": 5}}, "kernel_width"),
        ({"data": {"target_language": "fr"}}, "target_language"),
        ({"model": {"decoder_layers": 1}}, "at least the 2 decoder layers"),
    ],
)
def test_a_parent_of_other_sizes_is_refused_before_any_work(files, tmp_path, change, said):
    parent = tmp_path / "parent"
    train_translator(config(files), parent, progress=False)
    settings = config(files, start_from=str(parent))
    parts = {part: getattr(settings, part).model_copy(update=keys) for part, keys in change.items()}
    with pytest.raises(ValueError, match=rf"start_from: expected .*{said}"):
        train_translator(settings.model_copy(update=parts), tmp_path / "child", progress=False)
    assert not (tmp_path / "child").exists()
    missing = settings.model_copy(update={"start_from": str(tmp_path / "none")})
    with pytest.raises(ValueError, match=r"start_from: .*none"):
        train_translator(missing, tmp_path / "child", progress=False)


def test_words_that_the_parent_translates_are_not_copied_for_being_rare_now(files, tmp_path):
    parent, child = tmp_path / "parent", tmp_path / "child"
    train_translator(config(files, data={"copy_min_count": 3}), parent, progress=False)
    assert "gato" in NeuralTranslator.load(parent).copier.known
    for language, text in (("es", "Elena llora\n"), ("en", "Elena cries\n")):
        (files / f"train.{language}").write_text(text, encoding="utf-8")
    train_translator(config(files, start_from=str(parent)), child, progress=False)
    assert "gato" in NeuralTranslator.load(child).copier.known


def test_a_run_is_taken_up_without_its_parent_but_not_with_another(files, tmp_path):
    parent, child = tmp_path / "parent", tmp_path / "child"
    train_translator(config(files), parent, progress=False)
    settings = config(files, data={"source_language": "pt"}, start_from=str(parent))
    train_translator(settings, child, max_minutes=0.0, progress=False)
    assert (child / "resume.safetensors").exists()
    state = (child / "resume.safetensors").read_bytes()
    parent.rename(tmp_path / "elsewhere")
    result = train_translator(settings, child, progress=False)
    assert result.stopped == "finished"
    assert state
    # vocabularies of a run that was killed before its first state, and meanwhile another parent
    (tmp_path / "elsewhere").rename(parent)
    (child / "target.subwords.json").write_bytes((child / "source.subwords.json").read_bytes())
    with pytest.raises(ValueError, match="which is another translator than when the run was started"):
        train_translator(settings, child, progress=False)


def test_a_name_that_is_a_word_elsewhere_is_still_a_name(files, tmp_path):
    pytest.importorskip("pypinyin")
    as_name, as_word = Segment("高明", (0, 1), "nr"), Segment("高明", (0, 1), "a")
    segmented = [([as_name], ["Gao", "Ming"])] * 3 + [([as_word], ["brilliant"])] * 3
    data = config(files, data={"copy_min_count": 3}).data
    _, _, copier = translator_data.vocabularies(segmented, tmp_path, data, source=None, target=None)
    assert "高明" not in copier.known
    words = [source for source, _ in translator_data.read_words(segmented, copier.known)]
    assert words == [["Gao", "Ming"]] * 3 + [["高明"]] * 3


def test_chinese_names_are_read_in_pinyin_and_copied(tmp_path):
    pytest.importorskip("jieba")
    pairs = [
        ("王小明去了上海。", "Wang Xiaoming went to Shanghai ."),
        ("李小红去了上海。", "Li Xiaohong went to Shanghai ."),
        ("他去了香港。", "He went to Hong Kong ."),
    ]
    for part in ("train", "dev"):
        for side, language in enumerate(("es", "en")):
            text = "".join(pair[side] + "\n" for pair in pairs * 3)
            (tmp_path / f"{part}.{language}").write_text(text, encoding="utf-8")
    data = {"segment": "jieba", "source_language": "zh", "copy_min_count": 3}
    train_translator(config(tmp_path, data=data), tmp_path / "run", progress=False)
    translator = NeuralTranslator.load(tmp_path / "run")
    assert "香港" in translator.copier.known
    assert "上海" not in translator.copier.known
    tokens = list("陈建国去了香港。")
    read = [segment.text for segment in translator.segments(tokens)]
    assert read[:2] == ["Chen", "Jianguo"]
    assert "香港" in read
    masked, slots = translator.copier.mask(read)
    assert slots == {"<copy0>": "Chen", "<copy1>": "Jianguo"}
    assert masked[:2] == ["<copy0>", "<copy1>"]
    (translation,) = translator.translate([tokens])
    assert translation.source == tuple(tokens)
    assert {"Chen", "Jianguo"} <= set(translation.target)


def names_of(folder, rows, parent=None, **changes):
    """The copier that is made for pairs (source, target, times)."""
    split = [(s.split(), t.split()) for s, t, times in rows for _ in range(times)]
    pairs = [([Segment(word, (i,)) for i, word in enumerate(source)], target) for source, target in split]
    paths = {"train_source": "", "train_target": "", "dev_source": "", "dev_target": ""}
    data = TranslatorDataConfig(
        **paths, source_language="es", source_pieces=100, target_pieces=100, **changes
    )
    return translator_data.vocabularies(pairs, folder, data, source=None, target=None, parent=parent)[2]


def test_names_with_another_english_are_learned_and_inherited(tmp_path):
    rows = [("ella va a Londres", "she goes to London", 8), ("Zoé va a Lima", "Zoé goes to Lima", 8)]
    plain = names_of(tmp_path / "plain", rows)
    assert (plain.names, plain.copies("Londres")) == ({}, False)
    named = names_of(tmp_path / "named", rows, name_translations=True)
    # Zoé and Lima stand in the translation as they are: they need no other name
    assert named.names == {"Londres": "London"}
    assert [named.copies(word) for word in ("Londres", "Lima", "va")] == [True, True, False]
    other = [("ella va a casa", "she goes home", 8)]
    child = names_of(tmp_path / "child", other, parent=named)
    assert child.names == named.names
    assert child.copies("Londres")


def test_a_language_with_capitalised_nouns_copies_names_only(tmp_path):
    nouns = ("Einheit unity", "Freiheit freedom", "Wahrheit truth", "Kindheit childhood", "Krankheit disease")
    rows = [
        (f"{name} sucht die {noun.split()[0]}", f"{name} seeks {noun.split()[1]}", 40)
        for name in ("Zoé", "Bergmann")
        for noun in nouns
    ] + [("sie geht nach Warschau", "she goes to Warsaw", 8)]
    german = names_of(tmp_path / "german", rows, name_translations=True)
    assert german.guesser is not None
    assert german.names == {"Warschau": "Warsaw"}
    assert [german.copies(word) for word in ("Neumann", "Dummheit", "Warschau")] == [True, False, True]
    as_english = names_of(tmp_path / "child-of-german", rows, parent=german, capitalised_nouns=False)
    assert as_english.copies("Dummheit")
    as_spanish = names_of(tmp_path / "spanish", rows, capitalised_nouns=False)
    assert as_spanish.copies("Dummheit")
    child = names_of(tmp_path / "child", rows[:1], parent=german)
    assert not child.copies("Dummheit")


def gloss_of(folder):
    english = {"el": "the", "gato": "cat", "perro": "dog", "come": "eats", "duerme": "sleeps"}
    entries = {word: Entry(translation, 5) for word, translation in english.items()}
    WordGloss(Lexicon(entries), GlossConfig()).save(folder)
    return folder


def test_a_glosss_english_is_learned_in_the_place_of_the_texts(files, tmp_path, monkeypatch):
    gloss, read = gloss_of(tmp_path / "gloss"), []
    monkeypatch.setattr(
        module, "segmented_pairs", lambda pairs, kind: read.append(pairs) or segmented_pairs(pairs, kind)
    )
    train_translator(config(files, data={"english_by": str(gloss)}), tmp_path / "child", progress=False)
    train, dev = read
    assert [source for source, _ in dev] == [source for source, _ in PAIRS]
    assert ("un gato come", "un cat eats") in dev  # "un" is not in the gloss; the file has "a cat eats"
    assert train == dev * 4


def test_punctuation_of_a_gloss_is_written_as_in_a_text():
    gloss = WordGloss(Lexicon({"no": Entry("not", 3)}), GlossConfig())
    assert with_english_by(gloss, [("no , no", "?"), ("", "nothing")]) == [("no , no", "not, not"), ("", "")]


@pytest.mark.parametrize("bundle", ["none", "parent", ""])
def test_a_gloss_that_is_none_is_refused_before_any_work(files, tmp_path, bundle):
    parent = tmp_path / "parent"
    train_translator(config(files), parent, progress=False)
    path = str(tmp_path / bundle) if bundle else ""
    with pytest.raises(ValueError, match=r"data\.english_by: .*expected"):
        train_translator(config(files, data={"english_by": path}), tmp_path / "child", progress=False)
    assert not (tmp_path / "child").exists()
