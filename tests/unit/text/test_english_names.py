"""Names whose English the parallel text is sure of."""

from canner.text.english_names import english_names


def learned(*pairs):
    """Names found in (source, target, times); a word of several characters, or 俄 or 人, may be one."""
    split = [(s.split(), t.split()) for s, t, times in pairs for _ in range(times)]
    words = {word for source, _ in split for word in source}
    return english_names(split, {word for word in words if len(word) > 1 or word in "俄人"})


def test_a_name_is_learned_where_the_parallel_text_agrees():
    rest = ("很 说", "they say", 50)
    assert learned(("莫斯科 说", "Moscow says", 4), ("莫斯科 来", "the capital comes", 1), rest) == {
        "莫斯科": "Moscow"
    }
    assert learned(("莫斯科 说", "Moscow says", 4), rest) == {}  # too rare
    assert learned(("莫斯科 说", "Moscow says", 4), ("莫斯科 来", "it comes", 5), rest) == {}


def test_forms_of_one_word_count_together_and_the_most_frequent_stands():
    rest = ("很 说", "they say", 50)
    forms = ("俄 说", "Russia says", 3), ("俄 的", "a Russian man", 3)
    assert learned(*forms, rest)["俄"] == "Russia"  # of equals the shortest
    assert learned(*forms, ("俄 的", "a Russian man", 1), rest)["俄"] == "Russian"


def test_a_name_of_several_words_is_left_to_the_translator():
    rest = ("很 说", "a new and united part of the nations", 50)
    assert learned(("纽约 来", "New York comes", 9), rest) == {}
    assert learned(("联合国 来", "the United Nations come", 6), ("联合国 来", "the UN comes", 4), rest) == {}
    # a title now and then is no part of the name
    obama = ("奥巴马 来", "Obama comes", 6), ("奥巴马 来", "President Obama comes", 3)
    assert learned(*obama, rest) == {"奥巴马": "Obama"}


def test_a_word_belongs_to_the_name_that_it_goes_with_best():
    rest = ("很 说", "they say", 50)
    found = learned(("中国 来", "China comes", 20), ("巴巴多斯 来 中国", "China comes", 5), rest)
    assert found == {"中国": "China"}
    # a rare name beside a frequent one, in another text than that
    assert learned(("中国 来", "China comes", 400), ("小村 来", "China comes", 5), rest) == {"中国": "China"}


def test_a_capital_that_only_opens_sentences_is_no_name():
    opening = ("人 走", "Man walks", 10), ("人 跑", "a man runs", 10)
    assert learned(*opening) == {}
    assert learned(opening[0]) != {}
