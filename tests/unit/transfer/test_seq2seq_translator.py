"""Translators of `transformers`: tiny ones, made here, read through the ordinary loader."""

import json
import random
import shutil

import pytest
import torch

transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")

from canner.data.bundle import save_json  # noqa: E402
from canner.data.translation import Translator  # noqa: E402
from canner.transfer.views import load_translator  # noqa: E402

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁Ana", "▁vi", "ve", "▁Lima", ".", "▁", "▁北京", "大", "学"]
SIZES = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 2, "max_position_embeddings": 24}
SIZES |= {f"{side}_{size}": 2 for side in ("encoder", "decoder") for size in ("attention_heads", "ffn_dim")}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, write_bart):
    return write_bart(tmp_path_factory.mktemp("bart"), PIECES, SIZES)


@pytest.fixture
def moved(checkpoint, tmp_path):
    return shutil.copytree(checkpoint, tmp_path / "moved")


def attention_of(checkpoint, source, target):
    """The mean over the heads of every layer's weights, a row a step, from the model alone."""
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(checkpoint, attn_implementation="eager").eval()
    with torch.no_grad():
        said = model(
            input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([target]), output_attentions=True
        )
    return torch.stack([layer[0].mean(0) for layer in said.cross_attentions])


def ids(*pieces):
    return [PIECES.index(piece) for piece in pieces]


def test_its_words_have_the_attention_of_their_pieces(checkpoint, monkeypatch):
    translator = load_translator(checkpoint)
    assert isinstance(translator, Translator)
    assert translator.num_layers == 2
    output = ids("▁Lima", "▁vi", "ve", ".")
    monkeypatch.setattr(
        translator._model, "generate", lambda **_: torch.tensor([ids("</s>") + output + ids("</s>", "<pad>")])
    )
    (found,) = translator.translate([["Ana", "vive", "."]])
    # the full stop is read behind its word, as text has it
    source = ids("▁Ana", "▁vi", "ve", ".", "</s>")
    steps = attention_of(checkpoint, source, ids("</s>") + output)
    of_tokens = torch.stack([steps[..., 0], steps[..., 1:3].sum(-1), steps[..., 3]], dim=2)
    assert found.source == ("Ana", "vive", ".")
    assert found.target == ("Lima", "vive", ".")
    by_words = [of_tokens[:, 0], of_tokens[:, 1:3].mean(1), of_tokens[:, 3]]
    assert torch.allclose(found.attention, torch.stack(by_words, dim=1), atol=1e-5)
    read_one_later = [of_tokens[:, 1], of_tokens[:, 2:4].mean(1), of_tokens[:, 4]]
    assert found.reading_attention is not None
    assert torch.allclose(found.reading_attention, torch.stack(read_one_later, dim=1), atol=1e-5)


def test_characters_of_one_piece_share_its_attention(checkpoint):
    (found,) = load_translator(checkpoint).translate([["Ana", *"北京大学"]])
    assert found.attention.shape[2] == 5
    assert torch.allclose(found.attention[..., 1], found.attention[..., 2])
    assert not torch.allclose(found.attention[..., 3], found.attention[..., 4])


def test_alone_or_in_a_batch_and_longer_than_the_model_reads(checkpoint):
    translator = load_translator(checkpoint)
    words = ("Ana", "vive", "Lima", ".")
    draw = random.Random(1)
    sentences = [draw.choices(words, k=length) for length in (3, 1, 0, 60, 7)]
    finished = []
    together = translator.translate(sentences, progress=finished.append)
    assert sum(finished) == 4  # nothing is to do for an empty one
    assert [translation.parts > 1 for translation in together] == [False, False, False, True, False]
    for sentence, found in zip(sentences, together, strict=True):
        (alone,) = translator.translate([sentence])
        assert (found.source, found.target) == (tuple(sentence), alone.target)
        assert torch.allclose(found.attention, alone.attention, atol=1e-5)
        assert found.score == pytest.approx(alone.score, abs=1e-4)
        assert (found.attention.sum(dim=2) <= 1 + 1e-5).all()
    assert together[2].target == ()


def test_it_searches_as_the_checkpoint_says_which_the_fingerprint_tells(checkpoint, moved):
    assert load_translator(moved).fingerprint == load_translator(checkpoint).fingerprint
    search = json.loads((moved / "generation_config.json").read_text())
    save_json(moved / "generation_config.json", {**search, "num_beams": 3, "forced_bos_token_id": 10})
    translator = load_translator(moved)
    assert translator.fingerprint != load_translator(checkpoint).fingerprint
    (found,) = translator.translate([["Ana", "vive"]])
    assert found.attention.shape == (2, len(found.target), 2)
    (plain,) = load_translator(checkpoint).translate([["Ana", "vive"]])
    assert found.target != plain.target
    assert "北京" not in found.target[:1]  # the mark of the language is no word


def test_what_translates_nothing_is_a_clear_error(moved):
    config = json.loads((moved / "config.json").read_text())
    save_json(moved / "config.json", {**config, "model_type": "bert"})
    with pytest.raises(ValueError, match="expected a checkpoint of transformers, got"):
        load_translator(moved)


@pytest.mark.filterwarnings("ignore:Recommended")
def test_one_of_marian_whose_tokenizer_does_not_say_where_its_pieces_are(tmp_path):
    sentencepiece = pytest.importorskip("sentencepiece", reason="the extra transformers is not installed")
    text = ["Ana vive en Lima .", "Bruno llegó a Quito .", "¿ Vive Ana en Quito ?"] * 5
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text),
        model_prefix=str(tmp_path / "spm"),
        vocab_size=60,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    model = sentencepiece.SentencePieceProcessor(str(tmp_path / "spm.model"))
    pieces = [model.id_to_piece(index) for index in range(model.get_piece_size())]
    known = dict.fromkeys(["</s>", "<unk>", *pieces, "<pad>"])
    save_json(tmp_path / "vocab.json", {piece: index for index, piece in enumerate(known)})
    spm, folder = str(tmp_path / "spm.model"), tmp_path / "marian"
    transformers.MarianTokenizer(spm, spm, str(tmp_path / "vocab.json")).save_pretrained(folder)
    pad_id = len(known) - 1
    torch.manual_seed(5)
    config = transformers.MarianConfig(
        vocab_size=len(known), pad_token_id=pad_id, decoder_start_token_id=pad_id, eos_token_id=0, init_std=1.0,
        forced_eos_token_id=None, **SIZES,
    )  # fmt: skip
    transformers.MarianMTModel(config).save_pretrained(folder)
    translator = load_translator(folder)
    tokens = ["¿", "Vive", "Ana", "en", "Quito", "?"]
    (found,) = translator.translate([tokens])
    assert found.source == tuple(tokens)
    assert found.attention.shape == (2, len(found.target), 6)
    assert (found.attention.sum(dim=1) > 0).all()  # every token is looked at
    (row,) = translator._checkpoint.pieces.rows(tokens)
    spelt = ["".join(map(list(known).__getitem__, row.ids[own.start : own.stop])) for own in row.words]
    assert [word.strip("▁") for word in spelt] == tokens
