"""A token classifier of `transformers` as teacher: a tiny one, made here, read through the ordinary loader."""

import json
import shutil

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")

from canner.data.bundle import save_json  # noqa: E402
from canner.transfer.teacher import Teacher  # noqa: E402
from canner.transfer.views import TransferConfig, ViewConfig, load_teacher  # noqa: E402

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "ana", "##lisa", "rome", "in", "sang"]
TAGS = ("O", "B-PER", "I-PER", "B-LOC")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory, write_bert):
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return write_bert(tmp_path_factory.mktemp("bert"), tokenizer, width=8, longest=16, labels=TAGS)


@pytest.fixture
def moved(checkpoint, tmp_path):
    return shutil.copytree(checkpoint, tmp_path / "moved")


def test_features_are_means_of_pieces_and_posteriors_those_of_the_first(checkpoint):
    teacher = load_teacher(checkpoint)
    assert isinstance(teacher, Teacher)
    assert (teacher.features_dim, teacher.tags) == (8, TAGS)
    (found,) = teacher.read([["analisa", "sang"]])
    model = transformers.AutoModelForTokenClassification.from_pretrained(checkpoint).eval()
    ids = torch.tensor([[WORDS.index(w) for w in ("[CLS]", "ana", "##lisa", "sang", "[SEP]")]])
    with torch.no_grad():
        said = model(input_ids=ids, output_hidden_states=True)
    states = said.hidden_states[-1][0]
    assert torch.allclose(found.features, torch.stack([states[1:3].mean(0), states[3]]), atol=1e-6)
    assert torch.allclose(found.posteriors, said.logits[0, [1, 3]].softmax(dim=1), atol=1e-6)


def test_alone_or_in_a_batch_and_longer_than_the_model_reads(checkpoint):
    teacher = load_teacher(checkpoint)
    sentences = [["ana"], ["rome", "in", "sang"], ["ana", "sang", "in", "rome"] * 12]
    together = teacher.read(sentences)
    for sentence, found in zip(sentences, together, strict=True):
        (alone,) = teacher.read([sentence])
        assert found.posteriors.shape == (len(sentence), 4)
        assert torch.allclose(found.features, alone.features, atol=1e-5)
        assert torch.allclose(found.posteriors.sum(dim=1), torch.ones(len(sentence)), atol=1e-5)
    assert teacher.read([]) == []


def test_a_word_without_pieces_has_no_tag(checkpoint):
    (found,) = load_teacher(checkpoint).read([["ana", "\u200b", "rome"]])
    assert found.posteriors[[0, 2]].sum() == pytest.approx(2.0)
    assert found.features.shape == (3, 8)


def test_a_model_that_says_no_limit_reads_sentences_whole(checkpoint, moved):
    config = transformers.XLNetConfig(
        vocab_size=len(WORDS), d_model=8, n_layer=1, n_head=2, d_inner=8, id2label=dict(enumerate(TAGS))
    )
    transformers.XLNetForTokenClassification(config).save_pretrained(moved)
    teacher = load_teacher(moved)
    (row,) = teacher._checkpoint.pieces.rows(["ana", "sang"])
    assert len(row.words) == 2


def test_the_fingerprint_follows_weights_and_tags(checkpoint, moved):
    assert load_teacher(moved).fingerprint == load_teacher(checkpoint).fingerprint
    config = json.loads((moved / "config.json").read_text())
    save_json(moved / "config.json", {**config, "id2label": {**config["id2label"], "3": "B-ORG"}})
    assert load_teacher(moved).fingerprint != load_teacher(checkpoint).fingerprint


def test_an_encoder_or_other_tags_are_clear_errors(checkpoint, moved):
    config = json.loads((moved / "config.json").read_text())
    save_json(moved / "config.json", {**config, "id2label": {str(i): f"LABEL_{i}" for i in range(4)}})
    with pytest.raises(ValueError, match=r"expected a token classifier of entities, .* got 'LABEL_0'"):
        load_teacher(moved)
    transformers.BertModel.from_pretrained(checkpoint).save_pretrained(moved)
    with pytest.raises(ValueError, match=r"expected a whole checkpoint .* got one without classifier"):
        load_teacher(moved)


def test_a_name_of_transformers_is_no_path(tmp_path):
    view = ViewConfig(translator=str(tmp_path / "gloss"))
    config = TransferConfig(teacher="transformers:someone/english-ner", views=(view,))
    assert config.bundles() == [str(tmp_path / "gloss")]
    moved = config.relative_to(tmp_path / "tagger")
    assert (moved.teacher, moved.views[0].translator) == (config.teacher, "../gloss")
    assert moved.seen_from(tmp_path / "tagger") == config
