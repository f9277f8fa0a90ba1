"""A store of the same English with another attention: nothing is translated or read twice."""

import random
from dataclasses import replace

import pytest
import torch

from canner.decoding.neural_aligner import NeuralAligner
from canner.decoding.neural_translator import NeuralTranslator
from canner.decoding.options import TranslateOptions
from canner.models.alignment_head import AlignmentHead, AlignmentHeadConfig
from canner.models.convs2s import ConvS2S, ConvS2SConfig
from canner.text.copying import Copier
from canner.text.subwords import Subwords
from canner.transfer.aligned import TransferOptions
from canner.transfer.store import TransferStore
from canner.transfer.views import TransferViews, View

SENTENCES = [
    ("Ana", "vive", "en", "Sevilla"),
    ("El", "Banco", "de", "España", "cierra", "."),
    ("untranslatable",),
    ("hola",),
    ("科", "技"),
    ("Ana", "vive", "en", "Sevilla"),
]


def build(folder, translator, teacher, sentences=SENTENCES):
    return TransferStore.build(folder, sentences, translator, teacher, shard_size=2)


class Realigner:
    """The English of another translator; an English word has all its weight on the first token."""

    num_layers, fingerprint = 1, "realigned-1"

    def __init__(self, translator):
        self.translator = translator

    def translate(self, sentences, *, progress=None):
        return self.realign(self.translator.translate(sentences))

    def realign(self, translations):
        found = []
        for each in translations:
            attention = torch.zeros(1, len(each.target), len(each.source))
            attention[:, :, 0] = 1
            found.append(replace(each, attention=attention, reading_attention=None))
        return found


def test_what_is_translated_and_read_is_only_aligned_anew(tmp_path, make_translator, make_teacher):
    """Where a store of the same English has a sentence; the others are translated. The result is the same."""
    before = build(tmp_path / "before", make_translator(), make_teacher(), SENTENCES[:3])
    translator, teacher = make_translator(), make_teacher()
    store = TransferStore.build(
        tmp_path / "store", SENTENCES, Realigner(translator), teacher, shard_size=2, before=before
    )
    assert sorted(tokens for call in translator.calls for tokens in call) == sorted(SENTENCES[3:5])
    assert teacher.num_read == 2
    fresh = build(tmp_path / "fresh", Realigner(make_translator()), make_teacher())
    for tokens in SENTENCES:
        found, expected = store.transfer(tokens), fresh.transfer(tokens)
        assert found.translation.target == expected.translation.target
        assert found.translation.copies == expected.translation.copies
        assert torch.equal(found.translation.attention, expected.translation.attention)
        assert torch.equal(found.target.features, expected.target.features)
        assert torch.equal(found.target.posteriors, expected.target.posteriors)


def test_a_translator_that_cannot_align_anew_translates_all(tmp_path, make_translator, make_teacher):
    before = build(tmp_path / "before", make_translator(), make_teacher())
    other = make_translator(fingerprint="small-2")
    TransferStore.build(tmp_path / "store", SENTENCES, other, make_teacher(), shard_size=2, before=before)
    assert sum(map(len, other.calls)) == 5


@pytest.fixture
def aligner() -> NeuralAligner:
    rng = random.Random(0)
    words = [word for sentence in SENTENCES for word in sentence]
    subwords = Subwords.train([[rng.choice(words) for _ in range(6)] for _ in range(60)], vocab_size=80)
    torch.manual_seed(1)
    sizes = ConvS2SConfig(embed_dim=8, hidden_dim=8, encoder_layers=1, decoder_layers=2, max_positions=64)
    model = ConvS2S(sizes, num_source_pieces=len(subwords), num_target_pieces=len(subwords)).eval()
    options = TranslateOptions(beam_size=1, max_length_extra=5)
    translator = NeuralTranslator(model, subwords, subwords, Copier(words), options)
    return NeuralAligner(translator, AlignmentHead(AlignmentHeadConfig(dim=4), sizes))


def views_of(translators, teacher) -> TransferViews:
    return TransferViews([View(translator, TransferOptions()) for translator in translators], teacher)


@pytest.mark.parametrize("aligner_first", [True, False])
def test_views_of_an_aligner_and_its_translator_translate_once(
    tmp_path, aligner, make_teacher, monkeypatch, aligner_first
):
    fresh = views_of([aligner], make_teacher()).stores(tmp_path / "fresh", SENTENCES)
    search, translated = NeuralTranslator._search, []

    def counted(self, parts):
        translated.extend(part.words for part in parts)
        return search(self, parts)

    monkeypatch.setattr(NeuralTranslator, "_search", counted)
    order = [aligner, aligner.translator] if aligner_first else [aligner.translator, aligner]
    stores = views_of(order, make_teacher()).stores(tmp_path / "both", SENTENCES)
    assert sorted(translated) == sorted(set(SENTENCES))
    names = [store.folder.name for store, _ in stores]
    assert all(name.startswith(each.fingerprint) for name, each in zip(names, order, strict=True))
    found = stores[order.index(aligner)][0]
    for tokens in SENTENCES:
        one, other = found.transfer(tokens), fresh[0][0].transfer(tokens)
        assert one.translation.target == other.translation.target
        torch.testing.assert_close(one.translation.attention, other.translation.attention)
        assert torch.equal(one.target.features, other.target.features)
