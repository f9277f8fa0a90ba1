"""The teacher's role: what a tagger gives, unchanged, and fingerprints that follow the content."""

import pytest
import torch

from canner.transfer.teacher import TaggerTeacher, Teacher, content_hash


class StubTagger:
    tags = ("O", "S-LOC")

    def hidden_states(self, sentences):
        assert all(sentences)
        return [
            (
                torch.full((len(words), 4), float(len(words))),
                torch.eye(2)[[int(w[0].isupper()) for w in words]],
            )
            for words in sentences
        ]


def test_gives_hidden_states_and_marginals():
    teacher = TaggerTeacher(StubTagger(), fingerprint="f")
    assert isinstance(teacher, Teacher)
    assert (teacher.features_dim, teacher.tags, teacher.fingerprint) == (4, ("O", "S-LOC"), "f")
    first, second = teacher.read([("in", "Rome"), ("yes",)])
    assert torch.equal(first.features, torch.full((2, 4), 2.0))
    assert torch.equal(first.posteriors, torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    assert second.features.shape == (1, 4)
    assert teacher.read([]) == []


def test_asked_without_gradients():
    class Recording(StubTagger):
        def hidden_states(self, sentences):
            assert not torch.is_grad_enabled()
            return super().hidden_states(sentences)

    assert TaggerTeacher(Recording(), fingerprint="f").features_dim == 4


@pytest.mark.parametrize(
    "other",
    [
        (b"ab", b"c"),
        (b"a", b"bc", b""),
        (b"a", b"bc", b"\0"),
        (b"abc",),
        (b"bc", b"a"),
    ],
)
def test_hashes_tell_content_apart(other):
    assert content_hash(other) != content_hash((b"a", b"bc"))
    assert content_hash(other) == content_hash(iter(other))
