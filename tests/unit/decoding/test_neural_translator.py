"""The neural translator around small random models."""

import itertools
import json
import random
import unicodedata
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.utils import parametrize

from canner.data.bundle import FORMAT
from canner.data.translation import Translator
from canner.decoding.beam import beam_search
from canner.decoding.constraints import constraints_of
from canner.decoding.neural_translator import NeuralTranslator
from canner.decoding.options import TranslateOptions
from canner.decoding.piece_translation import copies
from canner.decoding.step import ConvS2SState, ConvS2SStep
from canner.models.convs2s import ConvS2S, ConvS2SConfig
from canner.text.copying import Copier
from canner.text.romanisation import write_names
from canner.text.segmentation import Segment, segments_of
from canner.text.subwords import COPY_SLOTS, Subwords

WORDS = ["casa", "perro", "gato", "come", "agua", "Lima", "la", "el", "de", "rojo", "azul", ".", ","]
LAYERS = 3


@pytest.fixture(scope="module")
def corpus() -> list[list[str]]:
    rng = random.Random(0)
    return [[rng.choice(WORDS) for _ in range(rng.randint(1, 12))] for _ in range(200)]


@pytest.fixture(scope="module")
def subwords(corpus) -> Subwords:
    # Few pieces, so that words have several.
    return Subwords.train(corpus, vocab_size=60)


@pytest.fixture(scope="module")
def copier(corpus) -> Copier:
    return Copier.train(corpus, min_count=2)


@pytest.fixture
def make(subwords, copier):
    def build(seed: int = 1, bias: dict[int, float] | None = None, **options) -> NeuralTranslator:
        torch.manual_seed(seed)
        config = ConvS2SConfig(
            embed_dim=12, hidden_dim=12, encoder_layers=2, decoder_layers=LAYERS, max_positions=64
        )
        model = ConvS2S(config, num_source_pieces=len(subwords), num_target_pieces=len(subwords)).eval()
        with torch.no_grad():
            # Sharper attention and outputs than a fresh model has, else every choice is a near tie.
            model.decoder.output.weight.mul_(8)
            model.encoder.leave.parametrizations.weight.original0.mul_(6)
            model.decoder.output.bias[Subwords.eos_id] = 3
            for index, value in (bias or {}).items():
                model.decoder.output.bias[index] = value
        return NeuralTranslator(
            model, subwords, subwords, copier, TranslateOptions(**{"max_length_extra": 5} | options)
        )

    return build


def test_it_is_a_translator(make):
    assert isinstance(make(), Translator)
    assert make().num_layers == LAYERS


@pytest.mark.parametrize("beam_size", [1, 4])
def test_company_in_a_batch_changes_nothing(make, corpus, beam_size):
    sentences = [*corpus[:6], ["Zorro9", "come", "Zorro9"]]
    together = make(beam_size=beam_size).translate(sentences)
    alone = make(beam_size=beam_size, batch_tokens=1).translate(sentences)
    for one, other, sentence in zip(together, alone, sentences, strict=True):
        assert one.source == tuple(sentence)
        assert one.target == other.target
        assert one.score == pytest.approx(other.score, abs=1e-4)
        torch.testing.assert_close(one.attention, other.attention, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(one.reading_attention, other.reading_attention, atol=1e-4, rtol=1e-4)


def test_it_says_which_tokens_a_copied_word_comes_from(make):
    tokens = ["Zorro9", "come", "Zorro9", "Ágil7"]
    [found] = make().translate([tokens])
    where = {word: [i for i, token in enumerate(tokens) if token == word] for word in ("Zorro9", "Ágil7")}
    assert set(where) <= set(found.target)  # all slots are used
    expected = {(j, i) for j, word in enumerate(found.target) for i in where.get(word, [])}
    assert set(found.copies) == expected
    assert make().translate([["la", "casa"]])[0].copies == ()
    assert make().force(tokens, ["Ágil7", "casa", "Zorro9"]).copies == ((0, 3), (2, 0), (2, 2))
    decomposed = unicodedata.normalize("NFD", "Ágil7")
    assert make().force(tokens, [decomposed, "Zorro9"]).copies == ((0, 3), (1, 0), (1, 2))
    # that a word the translator knows stands on both sides is no copying
    assert make().force(["la", "casa"], ["casa"]).copies == ()


def test_names_are_part_of_the_fingerprint(make):
    def fingerprint(names):
        translator = make()
        translator.copier = Copier(translator.copier.known, names)
        return translator.fingerprint

    found = [fingerprint(names) for names in ({}, {"casa": "Beijing"}, {"casa": "Peking"}, {"la": "Beijing"})]
    assert len(set(found)) == 4
    assert found[0] == make().fingerprint


def test_a_name_and_its_tones_are_copied_as_they_stand_in_the_english(make):
    translator = make(strip_accents=True)
    translator.copier = Copier(translator.copier.known, {"casa": "Beijing"})
    [found] = translator.translate([["casa", "Ágil7"]])
    assert {"Beijing", "Agil7"} <= set(found.target)
    assert {(found.target[j], i) for j, i in found.copies} == {("Beijing", 0), ("Agil7", 1)}


def test_a_copied_segment_is_all_its_tokens():
    copied = [
        ("Beijing", Segment("北京", (0, 1))),
        ("42", Segment("42", (3, 3))),
        ("Beijing", Segment("北京", (4, 5))),
    ]
    assert copies(copied, ["42", "of", "Beijing"]) == ((0, 3), (2, 0), (2, 1), (2, 4), (2, 5))


def test_attention_is_a_distribution_at_piece_level_and_keeps_its_mass_at_word_level(make, corpus):
    translator = make()
    sentences = corpus[:5]
    pieces = translator.translate_pieces(sentences)
    for (found,), translation in zip(pieces, translator.translate(sentences), strict=True):
        size = (LAYERS, len(found.target_pieces), len(found.source_pieces))
        assert tuple(found.attention.shape) == size
        assert found.source_pieces[-1] == found.target_pieces[-1] == "<eos>"
        torch.testing.assert_close(found.attention.sum(-1), torch.ones(size[:2]), atol=1e-5, rtol=0)
        words = torch.tensor(found.target_words)
        for j in range(len(translation.target)):
            rows = found.attention[:, :-1][:, words == j]
            on_eos = rows[..., -1].mean(1)
            mass = translation.attention[:, j].sum(-1)
            torch.testing.assert_close(mass + on_eos, torch.ones(LAYERS), atol=1e-5, rtol=0)
        steps = len(found.target_pieces)
        assert translation.score == pytest.approx(found.log_probability / steps, abs=1e-5)


class FullStep:
    """Decoding without incremental state: every step runs the decoder over the whole prefix."""

    def __init__(self, model: ConvS2S, source: Tensor, mask: Tensor) -> None:
        self.model, self.source, self.mask = model, source, mask

    def start(self) -> tuple[Tensor, Tensor]:
        return torch.arange(len(self.source)), torch.zeros(len(self.source), 1, 0, dtype=torch.long)

    def step(self, ids: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        rows, before = state
        read = torch.cat([before, ids[..., None]], dim=2)
        sentences = rows.repeat_interleave(read.shape[1])
        logits, _ = self.model(self.source[sentences], self.mask[sentences], read.flatten(0, 1))
        log_probs = torch.log_softmax(logits[:, -1], dim=-1).view(*ids.shape, -1)
        return log_probs, (rows, read)

    def select(
        self, state: tuple[Tensor, Tensor], sentences: Tensor, hypotheses: Tensor
    ) -> tuple[Tensor, Tensor]:
        rows, read = state
        return rows[sentences], read[sentences[:, None], hypotheses]


class WatchedStep(ConvS2SStep):
    """Notes the attention of every step of every hypothesis, under the sentence and prefix that it read."""

    def __init__(self, model: ConvS2S, encoded) -> None:
        super().__init__(model, encoded)
        self.prefixes = [[(i, ())] for i in range(len(encoded.keys))]
        self.seen: dict[tuple, Tensor] = {}

    def step(self, ids: Tensor, state: ConvS2SState):
        _, attention, _ = self.model.decoder.step(ids, state.encoded, state.decoder)
        self.prefixes = [
            [(i, (*prefix, int(token))) for (i, prefix), token in zip(row, tokens, strict=True)]
            for row, tokens in zip(self.prefixes, ids, strict=True)
        ]
        for row, found in zip(self.prefixes, attention, strict=True):
            self.seen |= dict(zip(row, found, strict=True))
        return super().step(ids, state)

    def select(self, state: ConvS2SState, sentences: Tensor, hypotheses: Tensor) -> ConvS2SState:
        pairs = zip(sentences.tolist(), hypotheses.tolist(), strict=True)
        self.prefixes = [[self.prefixes[n][m] for m in row] for n, row in pairs]
        return super().select(state, sentences, hypotheses)


@pytest.fixture
def prepared(make, corpus):
    translator = make()
    pieces = translator.source_subwords.encode_many(corpus[:6])
    ids, mask = translator._pad(pieces)
    search = {"num_sentences": 6, "bos_id": Subwords.bos_id, "beam_size": 4, "length_penalty": 1.0}
    search["constraints"] = constraints_of(
        ids, mask, len(translator.target_subwords), translator.model.config.max_positions, translator.options
    )
    return translator, pieces, ids, mask, search


@torch.inference_mode()
def test_incremental_search_finds_what_full_recomputation_finds(prepared):
    translator, _, ids, mask, search = prepared
    incremental = beam_search(ConvS2SStep(translator.model, translator.model.encode(ids, mask)), **search)
    full = beam_search(FullStep(translator.model, ids, mask), **search)
    for one, other in zip(incremental, full, strict=True):
        assert one.tokens == other.tokens
        assert one.log_probability == pytest.approx(other.log_probability, abs=1e-3)


@torch.inference_mode()
def test_forced_attention_is_that_of_the_search(prepared):
    translator, pieces, ids, mask, search = prepared
    watched = WatchedStep(translator.model, translator.model.encode(ids, mask))
    outputs = beam_search(watched, **search)
    forced = translator._force(pieces, [output.tokens for output in outputs])
    for i, (output, known) in enumerate(zip(outputs, forced, strict=True)):
        read = [Subwords.bos_id, *output.tokens]
        rows = [watched.seen[i, tuple(read[: t + 1])] for t in range(len(read))]
        attention = torch.stack(rows, dim=1)[..., : len(pieces[i].ids) + 1]
        torch.testing.assert_close(known.attention, attention, atol=1e-5, rtol=1e-4)
        assert known.log_probability == pytest.approx(output.log_probability, abs=1e-3)


def test_forcing_gives_the_attention_of_one_pass_pooled_in_loops(make):
    translator = make()
    source, target = ["la", "casa", "come"], ["Lima", "perro"]
    found = translator.force(source, target)
    (ids, words), (read, read_words) = (translator.source_subwords.encode(side) for side in (source, target))
    assert len(read) > 2, "a word should have several pieces here"
    ids = torch.tensor([[*ids, Subwords.eos_id]])
    with torch.inference_mode():
        logits, layers = translator.model(ids, ids >= 0, torch.tensor([[Subwords.bos_id, *read]]))
    for layer, attention in enumerate(layers):
        for j in range(2):
            rows = [t for t, word in enumerate(read_words) if word == j]
            for i in range(3):
                columns = [c for c, word in enumerate(words) if word == i]
                produced = sum(float(attention[0, t, c]) for t in rows for c in columns) / len(rows)
                reading = sum(float(attention[0, t + 1, c]) for t in rows for c in columns) / len(rows)
                assert float(found.attention[layer, j, i]) == pytest.approx(produced, abs=1e-5)
                assert float(found.reading_attention[layer, j, i]) == pytest.approx(reading, abs=1e-5)
    log_probs = torch.log_softmax(logits[0], dim=-1)
    total = sum(float(log_probs[t, written]) for t, written in enumerate([*read, Subwords.eos_id]))
    assert found.score == pytest.approx(total / (len(read) + 1), abs=1e-5)
    assert (found.source, found.target) == (tuple(source), tuple(target))


def test_forcing_many_is_forcing_each(make, corpus):
    translator = make()
    pairs = [(one, other) for one, other in itertools.pairwise(corpus[:6])]
    pairs.append((["la", "Zorro9"], ["Zorro9", "come"]))
    for pair, found in zip(pairs, translator.force_many(pairs), strict=True):
        alone = translator.force(*pair)
        assert found.target == alone.target == tuple(pair[1])
        assert found.score == pytest.approx(alone.score, abs=1e-5)
        torch.testing.assert_close(found.attention, alone.attention, atol=1e-5, rtol=1e-4)


def test_rare_names_are_carried_over_and_slots_never_seen(make):
    slot = Subwords.first_copy_id
    for name in ("Zorro9", "Åbö", "<copy7>"):
        (found,) = make(bias={slot: 60.0}).translate([["la", name, "come"]])
        assert found.target.count(name) == 1  # once in the source, once at most here
    # A model that wants every slot gets those of the source only.
    every = {slot + k: 60.0 for k in range(len(COPY_SLOTS))}
    (found,) = make(bias=every).translate([["Zorro9", "y", "Xerxes8", "Zorro9"]])
    assert found.target.count("Zorro9") == 2
    assert found.target.count("Xerxes8") == 1
    assert not any("<copy" in word for word in found.target)
    (found,) = make(bias=every).translate([["la", "casa"]])
    assert not any("copy" in word for word in found.target)


def test_all_slots_can_be_required(make, corpus):
    sentences = [[*words[:4], "Zorro9"] for words in corpus[:4]]
    shy = {Subwords.first_copy_id: -4.0}
    carried = []
    for required in (False, True):
        found = make(bias=shy, all_slots=required).translate(sentences)
        carried.append(sum("Zorro9" in translation.target for translation in found))
    assert carried[0] < carried[1] == len(sentences)


@pytest.mark.parametrize("layer", [None, 0, -1])
def test_unknown_words_become_the_source_word_that_was_looked_at(make, layer):
    translator = make(bias={Subwords.unk_id: 60.0}, alignment_layer=layer)
    sentence = ["la", "casa", "de", "agua"]
    (found,) = translator.translate([sentence])
    alignment = found.attention.mean(0) if layer is None else found.attention[layer]
    assert found.target == tuple(sentence[int(row.argmax())] for row in alignment)
    toned = make(bias={Subwords.unk_id: 60.0}, alignment_layer=layer, strip_accents=True)
    (found,) = toned.translate([["là", "cása", "dẹ́", "água"]])
    assert set(found.target) <= {"la", "casa", "de", "agua"}


@pytest.mark.parametrize("beam_size", [1, 3])
def test_words_alone_are_those_of_the_translations(make, corpus, subwords, beam_size):
    never = {i: -60.0 for i in range(len(subwords)) if i == Subwords.unk_id or not subwords.word([i])}
    translator = make(bias=never, beam_size=beam_size, max_source_pieces=12)
    sentences = [*corpus[:20], [], ["Zzyx", "come", "Lima", "."] * 9]
    whole = translator.translate(sentences)
    assert translator.translate_words(sentences) == [list(found.target) for found in whole]
    assert whole[-1].parts > 1
    assert "Zzyx" in whole[-1].target


def test_a_word_that_cannot_be_spelt_is_no_word_where_attention_is_not_read(make):
    assert make(bias={Subwords.unk_id: 60.0}).translate_words([["la", "casa"]]) == [[]]


def test_every_sentence_with_words_has_an_english_word(make):
    translator = make(bias={Subwords.eos_id: 60.0})
    for found in translator.translate([["casa"], ["come", "agua"], ["<eos>", "", "a b"]]):
        assert len(found.target) == 1
        assert found.target[0]


def test_sentences_without_words_have_no_translation(make):
    done: list[int] = []
    empty, full = make().translate([[], ["casa"]], progress=done.append)
    assert empty.source == empty.target == ()
    assert tuple(empty.attention.shape) == (LAYERS, 0, 0)
    assert full.target
    assert sum(done) == 2
    assert make().translate([]) == []


def test_long_sentences_are_translated_in_parts(make):
    translator = make(max_source_pieces=12)
    sentence = (["la", "casa", "come", "agua", ".", "el", "perro", ","] * 30)[:235]
    done: list[int] = []
    found, short = translator.translate([sentence, ["casa"]], progress=done.append)
    assert sum(done) == 2
    assert short.parts == 1
    assert found.parts > 10
    assert found.source == tuple(sentence)
    assert tuple(found.attention.shape) == (LAYERS, len(found.target), 235)
    pieces = translator.translate_pieces([sentence])[0]
    assert len(pieces) == found.parts
    assert all(len(part.source_pieces) <= 13 for part in pieces)
    # Block-diagonal: every source word is looked at by the words of one part only, which are neighbours.
    seen = found.attention.sum(0) > 0
    starts = seen.int().argmax(dim=1)
    assert torch.equal(starts, starts.sort().values)
    assert len(starts.unique()) == found.parts
    log_probability = sum(part.log_probability for part in pieces)
    assert log_probability < 0 > found.score


def test_a_single_endless_word_is_read_in_part_but_kept(make):
    translator = make(max_source_pieces=12)
    (found,) = translator.translate([["casa", "x" * 500, "agua"]])
    assert found.source == ("casa", "x" * 500, "agua")
    assert found.attention.shape[2] == 3


def test_progress_counts_sentences(make, corpus):
    done: list[int] = []
    make(batch_tokens=20).translate(corpus[:3], progress=done.append)
    assert sum(done) == 3


def test_the_fingerprint_names_what_decides_the_output(make, subwords):
    one = make()
    assert one.fingerprint == make(batch_tokens=7).fingerprint
    others = [make(seed=2), make(beam_size=2), make(target_pooling="first"), make(strip_accents=True)]
    copying = make()
    copying.copier = Copier(["casa"])
    assert len({t.fingerprint for t in (one, *others, copying)}) == 6


def test_an_unknown_alignment_layer_is_refused(make):
    with pytest.raises(ValueError, match="expected alignment_layer among 3 decoder layers, got 3"):
        make(alignment_layer=3)


def test_forcing_refuses_what_has_no_room(make):
    with pytest.raises(ValueError, match="pair 0: expected 1 to 63 pieces on the target side, got 0"):
        make().force(["casa"], [])
    with pytest.raises(ValueError, match="pair 1: expected 1 to 63 pieces on the source side"):
        make().force_many([(["casa"], ["la"]), (["casa"] * 100, ["la"])])


def test_weights_are_normalised_once_in_a_search(make, corpus, monkeypatch):
    translator, calls = make(beam_size=2), 0
    parametrization = translator.model.decoder.attentions[0].query.parametrizations.weight[0]
    forward = parametrization.forward

    def counted(*tensors: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return forward(*tensors)

    monkeypatch.setattr(parametrization, "forward", counted)
    translator.translate(corpus[:3])
    assert calls == 2  # once searching, once forcing
    assert not parametrize._cache


# -- bundles -------------------------------------------------------------------------------------------------
@pytest.fixture
def bundle(make, tmp_path):
    folder = tmp_path / "es-en"
    translator = make(beam_size=3, alignment_layer=-1)
    translator.source_language = "es"
    translator.save(folder, notes={"chrF": 41.5})
    return folder, translator


def test_a_bundle_translates_as_what_was_saved(bundle, corpus):
    folder, translator = bundle
    loaded = NeuralTranslator.load(folder)
    assert loaded.fingerprint == translator.fingerprint
    assert loaded.options == translator.options
    assert (loaded.source_language, loaded.target_language) == ("es", "en")
    for one, other in zip(loaded.translate(corpus[:5]), translator.translate(corpus[:5]), strict=True):
        assert one.target == other.target
        assert torch.equal(one.attention, other.attention)
    assert "chrF: 41.5" in (folder / "README.md").read_text()


def test_changed_options_leave_the_others_and_the_translator_as_they_are(bundle, make, corpus):
    folder, translator = bundle
    loaded = NeuralTranslator.load(folder)
    greedy = loaded.changed({"beam_size": 1})
    assert greedy.options == translator.options.model_copy(update={"beam_size": 1})
    assert (greedy.source_language, loaded.options.beam_size) == ("es", 3)
    assert greedy.model is loaded.model
    assert loaded.fingerprint == loaded.changed({"batch_tokens": 9}).fingerprint == translator.fingerprint
    assert greedy.fingerprint == make(beam_size=1, alignment_layer=-1).fingerprint != loaded.fingerprint
    expected = make(beam_size=1, alignment_layer=-1).translate(corpus[:20])
    assert [t.target for t in greedy.translate(corpus[:20])] == [t.target for t in expected]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"beam": 3}, "options: unknown key 'beam' in TranslateOptions; did you mean 'beam_size'"),
        ({"beam_size": 0}, "options: beam_size: Input should be greater than or equal to 1, got 0"),
        ({"target_pooling": "sum"}, "options: target_pooling: Input should be 'mean', 'first' or 'last'"),
        ({"alignment_layer": 3}, "expected alignment_layer among 3 decoder layers, got 3; choose one"),
    ],
)
def test_options_that_there_are_not_are_refused_in_one_line(make, changes, said):
    with pytest.raises(ValueError, match=said) as caught:
        make().changed(changes)
    assert "\n" not in str(caught.value)


def test_the_layer_that_an_earlier_training_wrote_beside_the_options_is_read(bundle):
    folder, translator = bundle
    config = json.loads((folder / "config.json").read_text())
    config["alignment_layer"] = config["options"].pop("alignment_layer")
    (folder / "config.json").write_text(json.dumps(config))
    assert NeuralTranslator.load(folder).fingerprint == translator.fingerprint


@pytest.mark.parametrize(("precision", "share"), [("float16", 0.6), ("int8", 0.52)])
def test_less_precision_is_less_on_disk_and_little_else(bundle, tmp_path, precision, share):
    folder, translator = bundle
    translator.save(tmp_path / "small", precision=precision)
    sizes = [(f / "model.safetensors").stat().st_size for f in (folder, tmp_path / "small")]
    assert sizes[1] < share * sizes[0]
    loaded = NeuralTranslator.load(tmp_path / "small")
    for name, before in translator.model.state_dict().items():
        error = (loaded.model.state_dict()[name] - before).abs().max()
        assert error <= before.abs().max() / 250, name


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_embeddings_that_serve_twice_are_written_once_and_read_as_one(make, corpus, tmp_path, precision):
    translator = make()
    config = translator.model.config.model_copy(update={"share_embeddings": True})
    shared = ConvS2S(
        config,
        num_source_pieces=len(translator.source_subwords),
        num_target_pieces=len(translator.target_subwords),
    )
    translator.model = shared.eval()
    translator.save(tmp_path / "shared", precision=precision)
    names = load_file(tmp_path / "shared" / "model.safetensors")
    assert "decoder.output.weight" in names
    assert "decoder.tokens.weight" not in names
    loaded = NeuralTranslator.load(tmp_path / "shared").model
    assert loaded.decoder.tokens.weight is loaded.decoder.output.weight
    tolerance = {"float32": 0.0, "float16": 1e-3, "int8": 5e-3}[precision]
    torch.testing.assert_close(
        loaded.decoder.tokens.weight, shared.decoder.tokens.weight, atol=tolerance, rtol=tolerance
    )


def test_a_truncated_weight_file_is_a_clear_error(bundle):
    folder, _ = bundle
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(ValueError, match=r"model\.safetensors: expected whole safetensors"):
        NeuralTranslator.load(folder)


@pytest.mark.parametrize(
    "name",
    ["config.json", "model.safetensors", "source.subwords.json", "target.subwords.json", "copier.json"],
)
def test_a_missing_file_is_named(bundle, name):
    folder, _ = bundle
    (folder / name).unlink()
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        NeuralTranslator.load(folder)


@pytest.mark.parametrize("name", ["config.json", "source.subwords.json", "copier.json"])
def test_a_damaged_file_is_named(bundle, name):
    folder, _ = bundle
    (folder / name).write_text((folder / name).read_text()[:-20])
    with pytest.raises(ValueError, match=name.replace(".", r"\.")):
        NeuralTranslator.load(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, f"expected format {FORMAT} or older, got 99"),
        ({"kind": "tagger"}, "expected a bundle of kind 'translator', got 'tagger'"),
        ({"options": {"beam": 3}}, "unknown key 'beam' in TranslateOptions; did you mean 'beam_size'"),
        ({"model": {"embed_dim": 14}}, "expected the weights of the model in config.json, got others"),
    ],
)
def test_a_bundle_of_another_kind_is_refused(bundle, change, message):
    folder, _ = bundle
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(ValueError, match=message):
        NeuralTranslator.load(folder)


def test_training_mode_is_left_before_translating(make, corpus):
    translator = make()
    before = translator.translate(corpus[:3])
    translator.model.train()
    after = translator.translate(corpus[:3])
    assert [t.target for t in before] == [t.target for t in after]
    assert replace(before[0], score=0.0).target == after[0].target


def test_a_translator_that_segments_reads_words_and_speaks_of_tokens(make, tmp_path):
    pytest.importorskip("jieba")
    plain, segmenting = make(beam_size=2), make(beam_size=2)
    segmenting.segment = "jieba"
    tokens = ["南", "京", "市", "长", "江", "大", "桥", "。"]
    segments = write_names(segments_of(tokens, "jieba"), segmenting.copier.known)
    assert len(segments) < len(tokens)
    assert segments[0] == ("Nanjing", (0, 1), "ns")
    (whole,) = segmenting.translate([tokens])
    (of_words,) = plain.translate([[segment.text for segment in segments]])
    assert (whole.source, whole.target, whole.score) == (tuple(tokens), of_words.target, of_words.score)
    for over_tokens, over_words in (
        (whole.attention, of_words.attention),
        (whole.reading_attention, of_words.reading_attention),
    ):
        for index, segment in enumerate(segments):
            of_segment = over_tokens[:, :, list(segment.owners)]
            assert torch.allclose(of_segment.sum(-1), over_words[:, :, index], atol=1e-6)
            assert torch.allclose(of_segment, of_segment[..., :1].expand_as(of_segment))
    assert "Nanjing" in whole.target  # as a name that it does not know, carried over by a copy slot
    forced = segmenting.force(tokens, whole.target)
    assert forced.source == tuple(tokens)
    assert forced.attention.shape == whole.attention.shape
    assert segmenting.translate([[], tokens])[0].target == ()

    segmenting.save(tmp_path / "bundle")
    loaded = NeuralTranslator.load(tmp_path / "bundle")
    assert loaded.translate([tokens])[0].target == whole.target
    assert loaded.fingerprint == segmenting.fingerprint != make(beam_size=2).fingerprint
    config = json.loads((tmp_path / "bundle" / "config.json").read_text())
    (tmp_path / "bundle" / "config.json").write_text(json.dumps(config | {"format": 1}))
    with pytest.raises(ValueError, match=r"names in pinyin \(format 2\), got format 1; train it again"):
        NeuralTranslator.load(tmp_path / "bundle")
    (tmp_path / "bundle" / "config.json").write_text(json.dumps(config | {"segment": "future"}))
    with pytest.raises(ValueError, match="expected segment none or jieba, got 'future'"):
        NeuralTranslator.load(tmp_path / "bundle")


def test_the_layer_that_was_taught_to_align_says_which_word_is_which(make, corpus):
    (mean,) = make().translate(corpus[:1])
    assert torch.equal(mean.aligning_attention, mean.attention.mean(0))
    taught = make(alignment_layer=-2)
    (of_layer,) = taught.translate(corpus[:1])
    assert torch.equal(of_layer.aligning_attention, of_layer.attention[-2])
    (forced,) = taught.force_many([(corpus[0], of_layer.target)])
    assert forced.alignment_layer == -2
