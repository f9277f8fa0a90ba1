"""The word gloss: counted lexicons by hand, cases and copies, segmentation, bundles."""

import json
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from canner.data.translation import Translator
from canner.text.capitals import NameGuesser
from canner.text.segmentation import Segment, segment_tokens
from canner.transfer.chinese import gloss_segment
from canner.transfer.gloss import GlossConfig, WordGloss, train_gloss
from canner.transfer.lexicon import Entry, Lexicon, count_lexicon


def lexicon(**entries):
    return Lexicon({word: Entry(english, seen) for word, (english, seen) in entries.items()})


SPANISH = lexicon(
    banco=("bank", 40),
    español=("Spanish", 9),
    gobierno=("government", 30),
    gobiernos=("governments", 12),
    Suiza=("Switzerland", 8),
    ONU=("U.N.", 99),
    Pozo=("well", 1),
    perro=("dog", 2),
)


def aligned(*pairs):
    """Lexicon of sentence pairs written as `a b | x y | 0-0 1-1`."""
    rows = [[part.split() for part in pair.split("|")] for pair in pairs]
    links = [[tuple(map(int, link.split("-"))) for link in row[2]] for row in rows]
    return [row[0] for row in rows], [row[1] for row in rows], links


@pytest.mark.parametrize(
    ("word", "english"),
    [
        ("banco", "bank"),
        ("Banco", "Bank"),
        ("BANCO", "BANK"),
        ("español", "spanish"),  # small stays small
        ("Español", "Spanish"),
        ("Suiza", "Switzerland"),
        ("SUIZA", "SWITZERLAND"),
        ("ONU", "U.N."),
        ("Santiago", "Santiago"),  # never seen: a name
        ("Pozo", "Pozo"),  # seen once: more likely a name than what it was aligned to
        ("Perro", "Dog"),  # its small form was seen more than once
        ("perro", "dog"),
        ("1.234,5", "1.234,5"),
        ("G8", "G8"),
        ("%", "%"),
        ("，", ","),
        ("gobiernan", "government"),  # nearest by its beginning, the more frequent of two
        ("ban", "ban"),  # too short for that
        ("zzz", "zzz"),
        ("", ""),
    ],
)
def test_gloss_of_a_word(word, english):
    assert " ".join(SPANISH.gloss(word)) == english


def test_counts_the_likeliest_word_with_its_case():
    found = count_lexicon(
        *aligned(
            "el banco | The Bank | 0-0 1-1",
            "el banco | The bank | 0-0 1-1",
            "el banco | the bank | 0-0 1-1",
            "un banco | a bench | 0-0 1-1",
            "el francés | The French | 0-0 1-1",
        )
    )
    assert found.entries["banco"] == Entry("bank", 3)
    # "The" only opened sentences, which says nothing of its case; elsewhere it was small
    assert found.entries["el"] == Entry("the", 4)
    assert found.entries["francés"] == Entry("French", 1)
    assert "el banco" not in found.entries


def test_leans_against_english_words_aligned_to_everything():
    pairs = [f"w{i} | the | 0-0" for i in range(200)] + ["raro | the | 0-0", "raro | rare | 0-0"]
    assert count_lexicon(*aligned(*pairs)).entries["raro"].english == "rare"


def test_phrases():
    text = aligned("联合国 开会 | the United Nations meets | 0-1 0-2 1-3")
    assert count_lexicon(*text, max_phrase=2).entries["联合国"] == Entry("United Nations", 1)
    # longer than allowed: doubtful, so not counted at all
    assert "联合国" not in count_lexicon(*text, max_phrase=1).entries
    scattered = aligned("联合国 | United the Nations | 0-0 0-2")
    assert "联合国" not in count_lexicon(*scattered, max_phrase=3).entries


def test_rare_entries_can_be_left_out_but_copies_stay():
    text = aligned("a b c | x y c | 0-0 1-1 2-2", "a | x | 0-0")
    assert set(count_lexicon(*text, min_count=2).entries) == {"a", "c"}


def test_entries_that_change_nothing_are_left_out():
    text = aligned(*["Banco banco Madrid Suiza | Bank bank Madrid Switzerland | 0-0 1-1 2-2 3-3"] * 5)
    found = count_lexicon(*text)
    assert set(found.entries) == {"banco", "Suiza"}
    assert [found.gloss(word) for word in ("Banco", "Madrid", "Suiza")] == [
        ("Bank",),
        ("Madrid",),
        ("Switzerland",),
    ]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=6), max_size=8))
def test_every_token_is_attended_by_its_words(tokens):
    found = WordGloss(SPANISH, GlossConfig()).translate([tokens])[0]
    assert found.source == tuple(tokens)
    assert found.attention.shape == (1, len(found.target), len(tokens))
    assert (found.attention[0].sum(1) == 1).all()
    assert (found.attention[0].sum(0) >= 1).all()
    assert all(found.target)


def test_attention_is_the_identity_between_single_words():
    found = WordGloss(SPANISH, GlossConfig()).translate([["El", "banco", "español"]])[0]
    assert found.target == ("El", "bank", "spanish")
    assert torch.equal(found.attention[0], torch.eye(3))


def chinese():
    pytest.importorskip("jieba")
    entries = lexicon(美国=("United States", 9), 总统=("president", 9), 大=("big", 3), 学=("learn", 3))
    return WordGloss(entries, GlossConfig(segment="jieba", max_phrase=2))


def test_chinese_characters_attend_their_word():
    found = chinese().translate([list("美国总统")])[0]
    assert found.target == ("United", "States", "president")
    expected = torch.tensor([[0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]])
    assert torch.equal(found.attention[0], expected)


def test_unknown_chinese_words_are_glossed_by_their_parts_and_copied_elsewhere():
    found = chinese().translate([list("大学生")])[0]
    assert found.target == ("big", "learn", "生")
    assert torch.equal(found.attention[0], torch.eye(3))


def test_names_that_no_lexicon_knows_are_written_in_pinyin():
    pytest.importorskip("pypinyin")
    lexicon_ = lexicon(王=("king", 14), 老板=("boss", 30), 路=("road", 20), 扎克伯格=("Zuckerberg", 2))
    cases = {
        Segment("王", (0,), "nr"): [(("Wang",), (0,))],
        Segment("赵新民", (0, 1, 2), "nr"): [(("Zhao",), (0,)), (("Xinmin",), (1, 2))],
        Segment("欧阳修", (0, 1, 2), "nr"): [(("Ouyang",), (0, 1)), (("Xiu",), (2,))],
        Segment("贾老板", (0, 1, 2), "nr"): [(("Jia",), (0,)), (("boss",), (1, 2))],
        Segment("扎克伯格", (0, 1, 2, 3), "nr"): [(("Zuckerberg",), (0, 1, 2, 3))],
        Segment("沧海路", (4, 5, 6), "ns"): [(("Canghai",), (4, 5)), (("Road",), (6,))],
        Segment("桂林", (0, 1), "ns"): [(("Guilin",), (0, 1))],
        Segment("西老王", (0, 1, 2), "ns"): [(("Xilaowang",), (0, 1, 2))],  # 王 is no kind of place
        Segment("王", (0,), "n"): [(("king",), (0,))],
        Segment("阿拉法特", (0, 1, 2, 3), "nrt"): [(("Alafate",), (0, 1, 2, 3))],
    }
    for segment, expected in cases.items():
        found = [(words, piece.owners) for words, piece in gloss_segment(segment, lexicon_)]
        assert found == expected, segment


def test_rare_alignments_do_not_make_names_of_words():
    rare = lexicon(美的=("Midea", 1), 中国=("China", 90))
    assert gloss_segment(Segment("美的", (0, 1), "a"), rare)[0][0] == ("midea",)
    assert gloss_segment(Segment("美的", (0, 1), "nz"), rare)[0][0] == ("Midea",)
    assert gloss_segment(Segment("中国", (0, 1), "n"), rare)[0][0] == ("China",)


def test_a_single_character_is_a_name_as_a_place_or_an_abbreviation_only():
    found = lexicon(林=("Carrie", 40), 美=("US", 90), 美林=("Merrill", 5))
    assert gloss_segment(Segment("林", (0,), "n"), found)[0][0] == ("carrie",)
    assert gloss_segment(Segment("美", (0,), "j"), found)[0][0] == ("US",)
    parts = gloss_segment(Segment("林美林", (0, 1, 2), "n"), found)
    assert parts == [(("carrie",), Segment("林", (0,), "n")), (("Merrill",), Segment("美林", (1, 2), "n"))]


def test_an_unknown_organisation_is_glossed_by_its_parts_with_capitals():
    known = lexicon(伊拉克=("Iraq", 40), 政府=("government", 90), 华=("China", 9))
    found = gloss_segment(Segment("伊拉克政府", (0, 1, 2, 3, 4), "nt"), known)
    assert [words for words, _ in found] == [("Iraq",), ("Government",)]
    assert [piece.owners for _, piece in found] == [(0, 1, 2), (3, 4)]


def test_without_case_each_word_has_its_own_capitals():
    pairs = aligned(
        *["美国 说 | the US says | 0-1 1-2"] * 3,
        *["我们 说 | to us says | 0-1 1-2"] * 5,
        *["nosotros | to us | 0-1"] * 2,
    )
    found = count_lexicon(*pairs)
    assert found.entries["美国"].english == "US"
    assert found.entries["我们"].english == found.entries["nosotros"].english == "us"


def test_mixed_scripts():
    tokens = ["iPhone", "6", "在", "美", "国"]
    found = chinese().translate([tokens])[0]
    assert "iPhone" in found.target
    assert found.target[-2:] == ("United", "States")
    torch.testing.assert_close(found.attention[0].sum(1), torch.ones(len(found.target)))
    assert (found.attention[0].sum(0) > 0).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(alphabet="美国总统大学生 ab1，", min_size=1, max_size=3), max_size=8))
def test_segments_hold_every_character_once(tokens):
    pytest.importorskip("jieba")
    segments = segment_tokens(tokens)
    found = [
        (owner, character)
        for segment in segments
        for owner, character in zip(segment.owners, segment.text, strict=True)
    ]
    expected = [(index, c) for index, token in enumerate(tokens) for c in token if not c.isspace()]
    assert found == expected


def test_bundle_round_trip(tmp_path):
    gloss = WordGloss(SPANISH, GlossConfig(max_phrase=2))
    gloss.save(tmp_path)
    loaded = WordGloss.load(tmp_path)
    assert isinstance(loaded, Translator)
    assert loaded.fingerprint == gloss.fingerprint
    assert loaded.lexicon.entries == SPANISH.entries
    assert loaded.config == gloss.config
    assert json.loads((tmp_path / "config.json").read_text())["kind"] == "gloss"
    other = WordGloss(lexicon(banco=("bench", 40)), GlossConfig())
    assert other.fingerprint != gloss.fingerprint


def test_damaged_bundles(tmp_path):
    WordGloss(SPANISH, GlossConfig()).save(tmp_path)
    (tmp_path / "lexicon.json").write_text('{"a": ["b"]}')
    with pytest.raises(ValueError, match=r"lexicon\.json: expected a lexicon"):
        WordGloss.load(tmp_path)
    (tmp_path / "lexicon.json").unlink()
    with pytest.raises(ValueError, match="missing or damaged"):
        WordGloss.load(tmp_path)
    (tmp_path / "config.json").write_text('{"kind": "tagger", "format": 1}')
    with pytest.raises(ValueError, match="'gloss'"):
        WordGloss.load(tmp_path)


def test_learns_a_toy_language():
    pytest.importorskip("eflomal")
    generator = random.Random(0)
    words = [f"palabra{chr(97 + i)}" for i in range(20)]
    sentences = [generator.sample(words, generator.randint(2, 5)) for _ in range(200)]
    pairs = [(" ".join(s), " ".join(w.replace("palabra", "word") for w in s)) for s in sentences]
    gloss = train_gloss(pairs, seed=1, config=GlossConfig())
    found = gloss.translate([words])[0].target
    right = sum(target == word.replace("palabra", "word") for word, target in zip(words, found, strict=True))
    assert right >= 19
    assert train_gloss(pairs, seed=1, config=GlossConfig()).fingerprint == gloss.fingerprint


def test_progress_counts_sentences():
    done = []
    WordGloss(SPANISH, GlossConfig()).translate([["a"], ["b"]], progress=done.append)
    assert done == [1, 1]


@pytest.mark.parametrize("pairs", [[("Ana vive", "")] * 3, [("", "Ana lives")], [("Ana", ""), (" ", "Ana")]])
def test_training_needs_words_on_both_sides(pairs):
    with pytest.raises(ValueError, match=f"words on both sides, got none in {len(pairs)} pairs"):
        train_gloss(pairs, seed=1, config=GlossConfig())


def test_training_needs_text():
    with pytest.raises(ValueError, match="expected sentence pairs to train a gloss from, got none"):
        train_gloss([], seed=0, config=GlossConfig())


NAMES_AND_NOUNS = NameGuesser(
    {
        "ending": {"": (10, 10), "g": (0, 99), "n": (99, 0)},
        "beginning": {},
        "length": {},
    }
)


@pytest.mark.parametrize(
    ("word", "english"),
    [
        ("Bank", "bank"),  # the capital of the English word, not of the noun
        ("Union", "Union"),
        ("BANK", "BANK"),
        ("Neumann", "Neumann"),
        ("Frickelung", "frickelung"),  # an unseen noun is no name
        ("EU", "EU"),
        ("U2-Frickelung", "U2-Frickelung"),
    ],
)
def test_a_language_with_capitalised_nouns_has_the_capitals_of_the_english(word, english):
    german = Lexicon({"Bank": Entry("bank", 9), "Union": Entry("Union", 9)}, NAMES_AND_NOUNS)
    assert german.gloss(word) == (english,)


def test_with_capitalised_nouns_each_word_has_its_own_capitals():
    pairs = aligned(
        *["die Union kommt | the Union comes | 0-0 1-1 2-2"] * 3,
        *["die Verbindung kommt | the union comes | 0-0 1-1 2-2"] * 4,
    )
    found = count_lexicon(*pairs, names=NAMES_AND_NOUNS)
    assert found.gloss("Union") == ("Union",)
    assert found.gloss("Verbindung") == ("union",)
    assert count_lexicon(*pairs).entries["Verbindung"].english == "union"
    assert count_lexicon(*pairs).gloss("Verbindung") == ("Union",)


def test_capitalised_nouns_are_found_in_training_and_kept_in_the_bundle(tmp_path):
    nouns = ("Haus house", "Buch book", "Kind child", "Brot bread", "Land country")
    pairs = [
        (f"Das {noun} und das {other} hat Berlin", f"The {english} and the {thing} has Berlin")
        for noun, english in (pair.split() for pair in nouns)
        for other, thing in (pair.split() for pair in nouns)
    ]
    gloss = train_gloss(pairs * 8, seed=1, config=GlossConfig())
    assert gloss.config.capitalised_nouns
    assert gloss.lexicon.gloss("Haus") == ("house",)
    gloss.save(tmp_path)
    loaded = WordGloss.load(tmp_path)
    assert loaded.fingerprint == gloss.fingerprint
    assert loaded.lexicon.names.to_json() == gloss.lexicon.names.to_json()
    assert WordGloss(Lexicon(gloss.lexicon.entries), gloss.config).fingerprint != gloss.fingerprint
    (tmp_path / "names.json").unlink()
    with pytest.raises(ValueError, match=r"names\.json: expected this file in the bundle"):
        WordGloss.load(tmp_path)
