from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from canner.data.char_stream import build_char_vocabulary
from canner.data.tagging import EncodingConfig, TaggingEncoder
from canner.models.char_lm import BidirectionalCharLM, CharLMConfig
from canner.models.tagger import TaggerConfig
from canner.nn.precision import cpu_has_bfloat16
from canner.tagging.char_features import CharLMFeatures, word_ends
from canner.tagging.sentence_tagger import SentenceTagger
from canner.tagging.tagger_bundle import load_tagger, make_model, save_tagger
from canner.text.sentence import Sentence
from canner.text.vocabulary import Vocabulary

SENTENCES = [
    ["Ana", "vive", "en", "Lima", "."],
    ["Lima"],
    ["A", "very", "long", "sentence", "about", "Peru", "'s", "capital", ",", "which", "is", "Lima", "."],
    [],
    ["¿", "Dónde", "?"],
]


@pytest.fixture(scope="module")
def features() -> CharLMFeatures:
    torch.manual_seed(3)
    config = CharLMConfig(embedding_dim=6, hidden_dim=10)
    vocabulary = build_char_vocabulary(
        "\n".join(" ".join(words) for words in SENTENCES[:3]) + "\n", min_count=1
    )
    return CharLMFeatures(
        config, BidirectionalCharLM(config, len(vocabulary)), vocabulary, precision="float32"
    )


words = st.lists(st.text(alphabet="aLñ 𝄞.", max_size=6), max_size=6)


@given(words)
def test_word_ends_by_searching_the_text(sentence: list[str]) -> None:
    text = "\n" + " ".join(sentence) + "\n"
    forward, backward = word_ends(sentence)
    position = 1
    for word, end, start_from_behind in zip(sentence, forward.tolist(), backward.tolist(), strict=True):
        assert text[position : end + 1] == word
        assert len(text) - 1 - start_from_behind == position
        position += len(word) + 1


def test_features_are_eq_4_of_each_sentence_alone(features: CharLMFeatures) -> None:
    for sentence, found in zip(SENTENCES, features.embed(SENTENCES), strict=True):
        assert found.shape == (len(sentence), features.dim)
        text = "\n" + " ".join(sentence) + "\n"
        ids = torch.tensor([features.vocabulary.ids(text)])
        forward, _ = features.model.forward_lm.hidden(ids)
        backward, _ = features.model.backward_lm.hidden(ids.flip(1))
        start = 1
        for word, vector in zip(sentence, found, strict=True):
            expected = torch.cat([forward[0, start + len(word) - 1], backward[0, len(text) - 1 - start]])
            torch.testing.assert_close(vector, expected, atol=1e-6, rtol=1e-5)
            start += len(word) + 1


@settings(max_examples=25, deadline=None)
@given(st.lists(words, min_size=1, max_size=5), st.integers(1, 80))
def test_company_in_a_batch_changes_nothing(
    features: CharLMFeatures, sentences: list[list[str]], max_chars: int
) -> None:
    together = features.embed(sentences, max_chars=max_chars)
    for sentence, found in zip(sentences, together, strict=True):
        torch.testing.assert_close(found, features.embed([sentence])[0], atol=1e-6, rtol=1e-5)


@pytest.mark.skipif(not cpu_has_bfloat16(), reason="this processor has no bfloat16")
def test_bfloat16_stays_close(features: CharLMFeatures) -> None:
    fast = CharLMFeatures(features.config, features.model, features.vocabulary, precision="bfloat16")
    for rough, exact in zip(fast.embed(SENTENCES), features.embed(SENTENCES), strict=True):
        torch.testing.assert_close(rough, exact, atol=0.03, rtol=0.05)


def test_the_right_context_reaches_the_backward_half_only(features: CharLMFeatures) -> None:
    one, other = features.embed([["Lima", "gana"], ["Lima", "vive"]])
    half = features.dim // 2
    torch.testing.assert_close(one[0, :half], other[0, :half])
    assert not torch.allclose(one[0, half:], other[0, half:])


def test_features_are_frozen(features: CharLMFeatures) -> None:
    assert not any(parameter.requires_grad for parameter in features.model.parameters())
    assert not features.embed([["Lima"]])[0].requires_grad


def test_a_saved_bundle_gives_the_same_vectors_and_fingerprint(
    features: CharLMFeatures, tmp_path: Path
) -> None:
    features.save(tmp_path / "lm")
    loaded = CharLMFeatures.load(tmp_path / "lm", precision="float32")
    assert loaded.fingerprint == features.fingerprint
    for again, before in zip(loaded.embed(SENTENCES), features.embed(SENTENCES), strict=True):
        assert torch.equal(again, before)


def test_the_fingerprint_tells_models_apart(features: CharLMFeatures) -> None:
    torch.manual_seed(4)
    other = BidirectionalCharLM(features.config, len(features.vocabulary))
    assert CharLMFeatures(features.config, other, features.vocabulary).fingerprint != features.fingerprint


def test_weights_of_another_size_are_refused(features: CharLMFeatures, tmp_path: Path) -> None:
    features.save(tmp_path)
    Vocabulary(["a", " ", "\n"]).save(tmp_path / "chars.json")
    with pytest.raises(ValueError, match="expected the weights of the model in config"):
        CharLMFeatures.load(tmp_path)


def test_a_truncated_file_is_refused(features: CharLMFeatures, tmp_path: Path) -> None:
    features.save(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ValueError, match="damaged"):
        CharLMFeatures.load(tmp_path)


def test_a_long_sentence_is_read_whole(features: CharLMFeatures) -> None:
    sentence = ["Lima", "vive"] * 1000
    assert features.embed([sentence])[0].shape == (2000, features.dim)


def test_a_tagger_reads_them_alone_in_a_batch_and_after_loading(
    features: CharLMFeatures, tmp_path: Path
) -> None:
    labelled = [Sentence(("Ana", "vive", "en", "Lima"), ("S-PER", "O", "O", "S-LOC"))]
    encoder = TaggingEncoder.build(EncodingConfig(), labelled, words=True, characters=False)
    torch.manual_seed(0)
    model = make_model(TaggerConfig(char_encoder="none"), encoder, features_dim=features.dim, aligned_dim=0)
    tagger = SentenceTagger(model, encoder, [features])
    sentences = [sentence for sentence in SENTENCES if sentence]
    save_tagger(tmp_path, tagger)
    loaded = load_tagger(tmp_path)
    loaded.embedders = (CharLMFeatures.load(tmp_path / "embedder0", precision="float32"),)
    together = tagger.hidden_states(sentences)
    for sentence, (states, _), (again, _) in zip(
        sentences, together, loaded.hidden_states(sentences), strict=True
    ):
        torch.testing.assert_close(states, tagger.hidden_states([sentence])[0][0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(states, again)
