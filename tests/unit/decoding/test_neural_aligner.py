"""Translations aligned anew, and the bundle of what aligns them."""

import itertools
import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from canner.data.bundle import load_tensors
from canner.data.translation import Translator
from canner.decoding.neural_aligner import NeuralAligner, translator_of
from canner.decoding.neural_translator import NeuralTranslator
from canner.decoding.options import TranslateOptions
from canner.models.alignment_head import AlignmentHead, AlignmentHeadConfig
from canner.models.convs2s import ConvS2S, ConvS2SConfig
from canner.text.copying import Copier
from canner.text.subwords import Subwords
from canner.transfer.views import load_translator

WORDS = ["casa", "perro", "gato", "come", "agua", "Lima", "la", "el", "de", "rojo", "azul", ".", ","]
SIZES = ConvS2SConfig(embed_dim=12, hidden_dim=12, encoder_layers=2, decoder_layers=3, max_positions=64)


@pytest.fixture
def corpus() -> list[list[str]]:
    rng = random.Random(0)
    return [[rng.choice(WORDS) for _ in range(rng.randint(1, 9))] for _ in range(60)]


@pytest.fixture
def translator(corpus) -> NeuralTranslator:
    torch.manual_seed(1)
    subwords = Subwords.train(corpus, vocab_size=60)
    model = ConvS2S(SIZES, num_source_pieces=len(subwords), num_target_pieces=len(subwords)).eval()
    with torch.no_grad():  # sharper outputs and shorter translations than a fresh model has
        model.decoder.output.weight.mul_(8)
        model.decoder.output.bias[Subwords.eos_id] = 3
    options = TranslateOptions(beam_size=1, max_length_extra=5, alignment_layer=-2)
    return NeuralTranslator(model, subwords, subwords, Copier.train(corpus, min_count=2), options)


def head_of(seed: int) -> AlignmentHead:
    torch.manual_seed(seed)
    return AlignmentHead(AlignmentHeadConfig(dim=8), SIZES)


@pytest.fixture
def aligner(translator) -> NeuralAligner:
    return NeuralAligner(translator, head_of(2))


def test_it_is_a_translator_of_one_layer(aligner):
    assert isinstance(aligner, Translator)
    assert aligner.num_layers == 1


def test_the_english_is_the_translators_and_the_attention_the_heads(aligner, translator, corpus):
    sentences = [*corpus[:8], ["Zorro9", "come", "Zorro9"], []]
    for own, plain in zip(aligner.translate(sentences), translator.translate(sentences), strict=True):
        assert (own.source, own.target, own.copies) == (plain.source, plain.target, plain.copies)
        assert (own.score, own.parts) == (plain.score, plain.parts)
        assert own.attention.shape == (1, len(plain.target), len(plain.source))
        assert own.reading_attention is None
        torch.testing.assert_close(own.aligning_attention, own.with_copies(own.attention[0]))
        if own.source:
            forced = aligner.force_many([(plain.source, plain.target)])[0]
            torch.testing.assert_close(own.attention, forced.attention, atol=1e-5, rtol=1e-5)
    assert own.attention.shape == (1, 0, 0)


def test_rows_are_distributions_over_tokens_and_the_end(aligner, corpus):
    attention = aligner.force_many([(corpus[0], corpus[1])])[0].attention
    assert bool((attention >= 0).all())
    assert bool((attention.sum(dim=2) <= 1 + 1e-5).all())


def test_company_changes_nothing(aligner, translator, corpus):
    pairs = list(zip(corpus[:20], corpus[20:40], strict=True))
    for together, pair in zip(aligner.force_many(pairs), pairs, strict=True):
        alone = aligner.force_many([pair])[0]
        torch.testing.assert_close(together.attention, alone.attention, atol=1e-5, rtol=1e-5)


def test_a_sentence_in_parts_is_aligned_in_these(aligner, translator, corpus):
    translator.options = translator.options.model_copy(update={"max_source_pieces": 8})
    sentence = [word for words in corpus[:6] for word in words]
    (own,) = aligner.translate([sentence])
    (plain,) = translator.translate([sentence])
    spans = translator.spans(sentence)
    assert own.parts == len(spans) > 2
    assert (spans[0][0], spans[-1][1]) == (0, len(sentence))
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(spans))
    row = 0
    for start, end in spans:
        (part,) = translator.translate([sentence[start:end]])
        rows = slice(row, row + len(part.target))
        expected = aligner.realign([part])[0].attention[0]
        torch.testing.assert_close(own.attention[0, rows, start:end], expected, atol=1e-5, rtol=1e-5)
        row += len(part.target)
    assert row == len(plain.target)
    assert float(own.attention.sum()) <= row + 1e-3


def test_a_name_that_is_in_several_parts_is_of_each(aligner, translator, corpus):
    """What is known of copies names tokens in all parts; a word is of the part that it was translated in."""
    translator.options = translator.options.model_copy(update={"max_source_pieces": 8, "all_slots": True})
    name = ["Zorro9"]
    sentence = [*name, *corpus[0], *corpus[1], *corpus[2], *name, *name, *corpus[3], *name, *corpus[4]]
    (plain,) = translator.translate([sentence])
    assert {token for word, token in plain.copies if word == plain.target.index("Zorro9")} > {0}
    (own,) = aligner.realign([plain])
    row = 0
    for start, end in translator.spans(sentence):
        (part,) = translator.translate([sentence[start:end]])
        rows = slice(row, row := row + len(part.target))
        expected = aligner.realign([part])[0].attention[0]
        torch.testing.assert_close(own.attention[0, rows, start:end], expected, atol=1e-5, rtol=1e-5)


def test_rounded_attention_is_cut_alike(aligner, translator, corpus):
    """As stores keep it: in half precision, and a word whose weights were all rounded away."""
    translator.options = translator.options.model_copy(update={"max_source_pieces": 8})
    (plain,) = translator.translate([[word for words in corpus[:6] for word in words]])
    rounded = plain.attention.half()
    rounded[:, -1] = 0
    (one,), (other,) = aligner.realign([plain]), aligner.realign([replace(plain, attention=rounded)])
    torch.testing.assert_close(one.attention, other.attention)


def test_what_has_no_room_has_no_attention_and_hurts_no_other(aligner, translator, corpus):
    endless = "casaperro" * 60
    translator.copier = Copier([*WORDS, endless])
    before, lost, after = aligner.translate([corpus[0], [endless], corpus[1]])
    (own,) = translator.translate([[endless]])
    torch.testing.assert_close(lost.attention[0], own.attention[-2])  # stays as it was
    for found, sentence in ((before, corpus[0]), (after, corpus[1])):
        (alone,) = aligner.translate([sentence])
        torch.testing.assert_close(found.attention, alone.attention, atol=1e-5, rtol=1e-5)
    with pytest.raises(ValueError, match="pieces on the source side"):
        aligner.force_many([([endless], ["a"])])


def test_progress_counts_sentences(aligner, corpus):
    counted: list[int] = []
    aligner.translate([*corpus[:5], []], progress=counted.append)
    assert sum(counted) == 6


# -- disk


@pytest.fixture
def bundle(aligner, translator, tmp_path) -> Path:
    translator.save(tmp_path / "translator")
    aligner.save(tmp_path / "aligner", tmp_path / "translator", notes={"made": "here"})
    return tmp_path / "aligner"


def test_a_bundle_aligns_as_what_was_saved(bundle, aligner, corpus):
    loaded = NeuralAligner.load(bundle)
    assert loaded.fingerprint == aligner.fingerprint
    for one, other in zip(loaded.translate(corpus[:5]), aligner.translate(corpus[:5]), strict=True):
        torch.testing.assert_close(one.attention, other.attention)
    assert "- made: here" in (bundle / "README.md").read_text(encoding="utf-8")


def test_changed_options_are_those_of_its_translator(bundle, aligner, translator, corpus):
    wide, other = aligner.changed({"beam_size": 3}), translator.changed({"beam_size": 3})
    assert wide.fingerprint == NeuralAligner(other, aligner.head).fingerprint != aligner.fingerprint
    assert [t.target for t in wide.translate(corpus)] == [t.target for t in other.translate(corpus)]
    loaded = load_translator(bundle, options={"beam_size": 3})
    assert loaded.fingerprint == wide.fingerprint


def test_weights_may_be_kept_in_half_precision(aligner, bundle, tmp_path):
    aligner.save(tmp_path / "half", tmp_path / "translator", precision="float16")
    assert {t.dtype for t in load_tensors(tmp_path / "half" / "model.safetensors").values()} == {
        torch.float16
    }
    loaded = NeuralAligner.load(tmp_path / "half")
    for name, weights in aligner.head.state_dict().items():
        torch.testing.assert_close(loaded.head.state_dict()[name], weights, atol=1e-3, rtol=1e-3)


def test_a_bundle_moves_with_its_translator(bundle, aligner, tmp_path):
    (tmp_path / "moved").mkdir()
    for name in ("aligner", "translator"):
        (tmp_path / name).rename(tmp_path / "moved" / name)
    assert NeuralAligner.load(tmp_path / "moved" / "aligner").fingerprint == aligner.fingerprint
    assert translator_of(tmp_path / "moved" / "aligner") == str(tmp_path / "moved" / "translator")


def test_translator_and_head_are_in_the_fingerprint(aligner, translator):
    assert NeuralAligner(translator, head_of(3)).fingerprint != aligner.fingerprint
    other = NeuralTranslator(
        translator.model, translator.source_subwords, translator.target_subwords, translator.copier
    )
    assert NeuralAligner(other, head_of(2)).fingerprint != aligner.fingerprint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"translator": "../nowhere"}, "expected the translator that it aligns for"),
        ({"translator": 3}, "expected the path of a translator"),
        ({"translator_fingerprint": "convs2s-other"}, "to be the one that it was trained for, got another"),
        ({"head": {"dim": 9}}, "expected the weights of the model in config.json"),
        ({"head": {"depth": 9}}, "valid AlignmentHeadConfig"),
        ({"kind": "gloss"}, "of kind 'aligner', got 'gloss'"),
    ],
)
def test_a_bundle_that_does_not_fit_says_why(bundle, changes, message):
    path = bundle / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(ValueError, match=message):
        NeuralAligner.load(bundle)


def test_a_missing_weight_file_is_named(bundle):
    (bundle / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"model\.safetensors: expected this file"):
        NeuralAligner.load(bundle)
