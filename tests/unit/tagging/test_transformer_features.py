"""An encoder of `transformers` as embedding: a tiny one, made here, read through the ordinary loader."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")

from canner.data.bundle import load_tensors, save_json, save_tensors  # noqa: E402
from canner.data.tagging import EncodingConfig, TaggingEncoder  # noqa: E402
from canner.data.word_pieces import WordPieces  # noqa: E402
from canner.models.tagger import TaggerConfig  # noqa: E402
from canner.pipeline.packing import pack  # noqa: E402
from canner.tagging.checkpoint import Checkpoint  # noqa: E402
from canner.tagging.sentence_tagger import SentenceTagger  # noqa: E402
from canner.tagging.tagger_bundle import load_embedder, load_tagger, make_model, save_tagger  # noqa: E402
from canner.tagging.transformer_features import TransformerFeatures  # noqa: E402
from canner.text.sentence import Sentence  # noqa: E402
from canner.transfer.views import TransferConfig, ViewConfig  # noqa: E402

SHIPPED = Path(__file__).resolve().parents[3] / "models" / "sw-en-gloss"

WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "ana",
    "##lisa",
    "rome",
    "in",
    "sang",
    "北京",
    "##大",
    "##学",
    "。",
    "josé",
]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, write_bert):
    folder = tmp_path_factory.mktemp("bert")
    vocabulary = {word: index for index, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return write_bert(folder, tokenizer, width=8, longest=16)


def test_a_word_is_the_mean_of_its_pieces(checkpoint):
    features = TransformerFeatures(Checkpoint(str(checkpoint)))
    (vectors,) = features.embed([["analisa", "sang"]])
    ids = torch.tensor([[WORDS.index(w) for w in ("[CLS]", "ana", "##lisa", "sang", "[SEP]")]])
    model = transformers.AutoModel.from_pretrained(checkpoint).eval()
    with torch.no_grad():
        states = model(input_ids=ids).last_hidden_state[0]
    assert torch.allclose(vectors, torch.stack([states[1:3].mean(0), states[3]]), atol=1e-6)


def test_accents_are_read_however_they_are_written(checkpoint):
    found, again = TransformerFeatures(Checkpoint(str(checkpoint))).embed(
        [["ana", "josé"], ["ana", "jose\u0301"]]
    )
    assert torch.equal(found, again)
    assert not torch.equal(
        found[1], TransformerFeatures(Checkpoint(str(checkpoint))).embed([["ana", "[UNK]"]])[0][1]
    )


def test_characters_of_chinese_are_read_as_the_text_that_they_stand_for(checkpoint):
    features = TransformerFeatures(Checkpoint(str(checkpoint)))
    (vectors,) = features.embed([["ana", *"北京大学", "rome"]])
    pieces = ("[CLS]", "ana", "北京", "##大", "##学", "rome", "[SEP]")
    ids = torch.tensor([[WORDS.index(word) for word in pieces]])
    model = transformers.AutoModel.from_pretrained(checkpoint).eval()
    with torch.no_grad():
        states = model(input_ids=ids).last_hidden_state[0]
    # The two characters of one piece share its vector.
    assert torch.allclose(vectors, states[[1, 2, 2, 3, 4, 5]], atol=1e-6)


@pytest.mark.parametrize("running", [False, True])
def test_those_that_cut_bytes_are_given_the_spaces(running):
    alphabet = ["<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    cut = Tokenizer(models.BPE({piece: index for index, piece in enumerate(alphabet)}, []))
    cut.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=cut, bos_token="<s>", eos_token="</s>")
    (row,) = WordPieces(tokenizer, 50, running_text=running).rows(["in", "", "Rome", "."])
    read = ["".join(tokenizer.convert_ids_to_tokens(row.ids[own.start : own.stop])) for own in row.words]
    assert read == (["in", "", "ĠRome", "."] if running else ["Ġin", "", "ĠRome", "Ġ."])


def test_long_runs_without_spaces_are_cut_and_lose_no_token(checkpoint):
    features = TransformerFeatures(Checkpoint(str(checkpoint)))
    for text in ("北京大学" * 3, "北京大学" * 70, "北" * 300):
        (vectors,) = features.embed([list(text)])
        assert vectors.shape == (len(text), 8)
        assert (vectors.abs().sum(dim=1) > 0).all()


def test_alone_or_in_a_batch_and_longer_than_the_encoder_reads(checkpoint):
    features = TransformerFeatures(Checkpoint(str(checkpoint)))
    sentences = [["ana"], ["rome", "in", "sang"], [], ["ana", "sang", "in", "rome"] * 12]
    together = features.embed(sentences)
    assert [len(vectors) for vectors in together] == [1, 3, 0, 48]
    for sentence, vectors in zip(sentences, together, strict=True):
        assert torch.allclose(features.embed([sentence])[0], vectors, atol=1e-5)
    assert (together[3].abs().sum(dim=1) > 0).all()


def test_a_bundle_refers_to_the_checkpoint_and_refuses_another(checkpoint, tmp_path):
    features = TransformerFeatures(Checkpoint(str(checkpoint)))
    features.save(tmp_path / "embedder")
    assert load_embedder(tmp_path / "embedder").fingerprint == features.fingerprint
    assert load_embedder(checkpoint).fingerprint == features.fingerprint
    wrong = {"format": 1, "kind": "transformer", "path": str(checkpoint), "fingerprint": "transformer-0"}
    save_json(tmp_path / "embedder" / "config.json", wrong)
    with pytest.raises(ValueError, match="restore it"):
        load_embedder(tmp_path / "embedder")


@pytest.fixture
def tagger(checkpoint, tmp_path):
    """The bundle of an untrained tagger beside the checkpoint that it reads, and the vectors of a sentence."""
    encoder = TransformerFeatures(Checkpoint(str(shutil.copytree(checkpoint, tmp_path / "home" / "bert"))))
    config = EncodingConfig(lowercase=False)
    sentence = Sentence(("ana", "sang"), ("S-PER", "O"))
    encoding = TaggingEncoder.build(config, [sentence], words=True, characters=False)
    shape = TaggerConfig(word_dim=4, char_encoder="none", hidden_dim=4)
    model = make_model(shape, encoding, features_dim=encoder.dim, aligned_dim=0)
    save_tagger(tmp_path / "home" / "tagger", SentenceTagger(model, encoding, [encoder, encoder]))
    return tmp_path / "home" / "tagger", encoder.embed([sentence.tokens])[0]


def test_a_tagger_and_its_checkpoint_can_move_together(tagger, tmp_path):
    _, vectors = tagger
    moved = (tmp_path / "home").rename(tmp_path / "away")
    (again, _) = load_tagger(moved / "tagger").embedders
    assert torch.equal(again.embed([["ana", "sang"]])[0], vectors)


def test_a_checkpoint_that_is_gone_is_not_looked_for_elsewhere(tagger, monkeypatch):
    bundle, _ = tagger
    monkeypatch.chdir(bundle.parent)
    shutil.rmtree("bert")
    with pytest.raises(
        ValueError, match="expected the encoder that the tagger was trained with in bert, got no such"
    ):
        load_tagger("tagger")


def test_a_reference_beside_its_checkpoint(checkpoint, tmp_path, monkeypatch):
    shutil.copytree(checkpoint, tmp_path / "encoder" / "bert")
    monkeypatch.chdir(tmp_path)
    TransformerFeatures(Checkpoint("encoder/bert")).save(tmp_path / "encoder")
    assert (
        load_embedder("encoder").fingerprint == TransformerFeatures(Checkpoint(str(checkpoint))).fingerprint
    )


def test_a_packed_tagger_needs_no_checkpoint_elsewhere(tagger, tmp_path):
    bundle, vectors = tagger
    pack(bundle, tmp_path / "packed")
    shutil.rmtree(tmp_path / "home")
    moved = (tmp_path / "packed").rename(tmp_path / "moved")
    assert [folder.name for folder in (moved / "encoders").iterdir()] == ["bert"]  # one for both
    for again in load_tagger(moved).embedders:
        assert torch.equal(again.embed([["ana", "sang"]])[0], vectors)


def test_the_encoder_of_a_packed_teacher_is_packed_too(tagger, tmp_path):
    teacher, vectors = tagger
    transfer = TransferConfig(teacher=str(teacher), views=(ViewConfig(translator=str(SHIPPED)),))
    again = load_tagger(teacher)
    model = make_model(
        TaggerConfig(word_dim=4, char_encoder="none", hidden_dim=4),
        again.encoder,
        features_dim=8,
        aligned_dim=8,
    )
    bundle = tmp_path / "home" / "can"
    extra = {"transfer": transfer.relative_to(bundle).model_dump(mode="json")}
    save_tagger(bundle, SentenceTagger(model, again.encoder, again.embedders[:1]), extra)
    (bundle / "README.md").write_text("Terms.\n")
    pack(bundle, tmp_path / "packed")
    shutil.rmtree(tmp_path / "home")
    moved = (tmp_path / "packed").rename(tmp_path / "moved")
    assert [folder.name for folder in (moved / "encoders").iterdir()] == ["bert"]  # one for all
    assert (moved / "README.md").read_text() == "Terms.\n"
    for place in (moved, moved / "teacher"):
        assert torch.equal(load_tagger(place).embedders[0].embed([["ana", "sang"]])[0], vectors)


@pytest.mark.parametrize("within", ["bert", "tagger"])
def test_a_tagger_is_not_packed_into_its_checkpoint_or_itself(tagger, within):
    bundle, _ = tagger
    target = bundle.parent / within / "packed"
    with pytest.raises(ValueError, match="expected a folder outside of the bundles to be copied"):
        pack(bundle, target)
    assert not target.exists()


def test_the_same_weights_used_otherwise_have_vectors_of_their_own(checkpoint, tmp_path):
    features = TransformerFeatures(Checkpoint(str(checkpoint)))
    moved = shutil.copytree(checkpoint, tmp_path / "moved")
    assert TransformerFeatures(Checkpoint(str(moved))).store_key == features.store_key
    config = json.loads((moved / "config.json").read_text())
    save_json(moved / "config.json", {**config, "num_attention_heads": config["num_attention_heads"] // 2})
    fewer_heads = TransformerFeatures(Checkpoint(str(moved)))
    assert fewer_heads.fingerprint == features.fingerprint
    assert fewer_heads.store_key != features.store_key


def test_a_checkpoint_without_a_pooler_is_the_same_each_time(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint, tmp_path / "bert")
    config = transformers.BertConfig.from_pretrained(checkpoint)
    transformers.BertForMaskedLM(config).save_pretrained(folder)
    first, second = Checkpoint(str(folder)), Checkpoint(str(folder))
    assert first.fingerprint == second.fingerprint != Checkpoint(str(checkpoint)).fingerprint
    assert first.store_key == second.store_key
    of_second = second.model.state_dict()
    assert all(torch.equal(weight, of_second[name]) for name, weight in first.model.state_dict().items())


def test_half_a_checkpoint_is_a_clear_error(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint, tmp_path / "bert")
    weights = load_tensors(folder / "model.safetensors")
    some = {name: weight for name, weight in weights.items() if "attention.output" not in name}
    save_tensors(folder / "model.safetensors", some, {"format": "pt"})
    with pytest.raises(
        ValueError, match=r"expected a whole checkpoint of transformers, got one without encoder"
    ):
        Checkpoint(str(folder))
    (folder / "model.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(ValueError, match="expected a checkpoint of transformers, got"):
        Checkpoint(str(folder))


def test_a_bundle_of_ours_is_no_checkpoint(tagger):
    bundle, _ = tagger
    with pytest.raises(
        ValueError, match="expected a checkpoint of transformers, got a bundle of kind 'tagger'"
    ):
        Checkpoint.load(bundle)


def test_what_is_no_checkpoint_is_a_clear_error(tmp_path):
    with pytest.raises(ValueError, match="expected a checkpoint of transformers"):
        TransformerFeatures(Checkpoint(str(tmp_path)))


@pytest.mark.parametrize("terminal", [False, True])
def test_progress_is_shown_on_terminals_only(checkpoint, capsys, monkeypatch, terminal):
    transformers.utils.logging.enable_progress_bar()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    TransformerFeatures(Checkpoint(str(checkpoint)))
    assert ("Loading weights" in capsys.readouterr().err) == terminal
    assert transformers.utils.logging.is_progress_bar_enabled()
