"""Translators of `transformers`: tiny ones, made here, read through the ordinary loader."""

import json
import random
import shutil

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

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


def change_search(folder, **changes):
    search = json.loads((folder / "generation_config.json").read_text())
    save_json(folder / "generation_config.json", {**search, **changes})


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
    assert sum(finished) == 5
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
    change_search(moved, num_beams=3, forced_bos_token_id=10)
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
    with pytest.raises(ValueError, match=r"got Unrecognized .* for this kind of AutoModel: \S+$"):
        load_translator(moved)


def test_what_does_not_say_where_a_translation_ends_is_a_clear_error(moved):
    config = json.loads((moved / "tokenizer_config.json").read_text())
    save_json(moved / "tokenizer_config.json", {**config, "eos_token": None})
    assert load_translator(moved)._ends == ids("</s>")
    change_search(moved, eos_token_id=[2, 8])
    assert load_translator(moved)._ends == ids("</s>", ".")
    change_search(moved, eos_token_id=None)
    with pytest.raises(
        ValueError, match="expected a translator that knows what begins and ends a translation"
    ):
        load_translator(moved)


def test_what_never_ends_is_cut_where_it_would_be_alone(tmp_path, write_bart):
    folder = write_bart(tmp_path / "long", PIECES, {**SIZES, "max_position_embeddings": 200})
    change_search(folder, suppress_tokens=ids("</s>"))
    translator = load_translator(folder)
    sentences = [["Ana"] * length for length in (1, 9, 40)]
    for sentence, found in zip(sentences, translator.translate(sentences), strict=True):
        (alone,) = translator.translate([sentence])
        assert (found.target, found.score) == (alone.target, pytest.approx(alone.score, abs=1e-4))


def test_a_long_sentence_whose_parts_are_all_empty(checkpoint, monkeypatch):
    translator = load_translator(checkpoint)
    nothing = torch.tensor([ids("</s>", "</s>")])
    monkeypatch.setattr(
        translator._model, "generate", lambda input_ids, **_: nothing.expand(len(input_ids), -1)
    )
    (found,) = translator.translate([["Ana"] * 60])
    assert (found.target, found.attention.shape) == ((), (2, 0, 60))
    assert found.parts > 1


def test_one_that_draws_or_gives_several_gives_the_likeliest(moved, caplog):
    change_search(
        moved, do_sample=True, num_beams=3, num_return_sequences=2, return_dict_in_generate=True, max_length=9
    )
    translator = load_translator(moved)
    sentences = [["Ana", "vive"], ["Lima"]]
    first, again = (translator.translate(sentences) for _ in range(2))
    assert [found.target for found in first] == [found.target for found in again]
    assert not caplog.records


def test_half_precision_is_read_as_single(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint, tmp_path / "half")
    transformers.AutoModelForSeq2SeqLM.from_pretrained(folder).bfloat16().save_pretrained(folder)
    assert load_translator(folder)._checkpoint.model.dtype == torch.float32


def test_bytes_of_one_character_are_of_its_word(checkpoint, monkeypatch):
    translator = load_translator(checkpoint)
    shown = ["", "\ufffd", "\ufffd\ufffd", "\ufffd\ufffd\ufffd", "😀", "😀 a"]
    monkeypatch.setattr(translator, "_text", lambda pieces: shown[len(pieces)])
    english = translator._english([*ids("</s>"), 4, 4, 4, 4, 5])
    assert (english.words, english.owners) == (("😀", "a"), [0, -1, -1, -1, 1])


def test_an_encoder_and_a_decoder_that_were_put_together(tmp_path, write_bert):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "ana", "##lisa", "lima"]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    folder = write_bert(tmp_path / "both", tokenizer, width=8, longest=24)
    encoder = transformers.BertConfig.from_pretrained(folder)
    both = transformers.EncoderDecoderConfig.from_encoder_decoder_configs(
        encoder, transformers.BertConfig.from_pretrained(folder)
    )
    model = transformers.EncoderDecoderModel(config=both)
    marks = {"decoder_start_token_id": 2, "eos_token_id": 3, "pad_token_id": 0}
    model.generation_config = transformers.GenerationConfig(**marks)
    model.save_pretrained(folder)
    (found,) = load_translator(folder).translate([["analisa", "lima"] * 20])
    assert found.parts > 1
    assert found.attention.shape == (1, len(found.target), 40)


@pytest.fixture
def marian(tmp_path):
    """A folder with a Marian model, and its pieces."""
    sentencepiece = pytest.importorskip("sentencepiece", reason="the extra transformers is not installed")
    text = ["Ana vive en Lima .", "Bruno llegó a Quito .", "¿ Vive Ana en Quito ? น ้ ำ า"] * 5
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
    return folder, list(known)


def spelt(translator, pieces, tokens):
    """The pieces of each token, joined."""
    (row,) = translator._checkpoint.pieces.rows(tokens)
    return ["".join(map(pieces.__getitem__, row.ids[own.start : own.stop])) for own in row.words]


@pytest.mark.filterwarnings("ignore:Recommended")
def test_one_of_marian_whose_tokenizer_does_not_say_where_its_pieces_are(marian):
    folder, pieces = marian
    translator = load_translator(folder)
    tokens = ["¿", "Vive", "Ana", "en", "Quito", "?"]
    (found,) = translator.translate([tokens])
    assert found.source == tuple(tokens)
    assert found.attention.shape == (2, len(found.target), 6)
    assert (found.attention.sum(dim=1) > 0).all()  # every token is looked at
    assert [word.strip("▁") for word in spelt(translator, pieces, tokens)] == tokens
    # … and ำ are read as several characters; what stands behind them keeps its own
    assert spelt(translator, pieces, ["Lima", "…", "?"])[1:] == ["...", "?"]
    assert spelt(translator, pieces, [*"นำา"])[2] == "า"
    (folder / "source.spm").unlink()
    with pytest.raises(ValueError, match="expected a checkpoint of transformers, got"):
        load_translator(folder)


@pytest.mark.filterwarnings("ignore:Recommended")
def test_the_language_that_is_read_is_part_of_the_fingerprint(marian, tmp_path):
    folder, pieces = marian
    known = [*PIECES[:4], *(piece for piece in pieces if piece not in PIECES)]
    save_json(tmp_path / "known.json", {piece: index for index, piece in enumerate(known)})
    tokenizer = transformers.M2M100Tokenizer(str(tmp_path / "known.json"), str(folder / "source.spm"))
    torch.manual_seed(5)
    config = transformers.M2M100Config(vocab_size=len(known) + 120, **SIZES)
    transformers.M2M100ForConditionalGeneration(config).save_pretrained(tmp_path / "m2m")
    names = set()
    for language in ("es", "fr"):
        tokenizer.src_lang = language
        tokenizer.save_pretrained(tmp_path / "m2m")
        names.add(load_translator(tmp_path / "m2m").fingerprint)
    assert len(names) == 2
