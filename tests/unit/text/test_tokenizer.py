"""Tokens with exact offsets, and readable English."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canner.text.tokenizer import detokenize, tokenize, tokenize_words

texts = st.one_of(
    st.text(max_size=60),
    st.text("aB9 .,'’-…科カ학한ไทยẹ́ñ@/:%\"()&_\n\t\u00a0\u2028\u200b\U0001f600\U00020000", max_size=40),
    st.lists(
        st.sampled_from(
            [
                "Peru's",
                "don't",
                "U.S.",
                "1.234,5",
                "http://a.b/c.",
                "a@b.org",
                "50%",
                "...",
                "--",
                "小明",
                "Àwọn",
                "J.",
            ]
        ),
        max_size=8,
    ).map(" ".join),
)


@given(texts, st.booleans())
def test_every_character_but_white_space_is_in_exactly_one_token(text, clitics):
    tokens = tokenize(text, clitics=clitics)
    covered = [i for token in tokens for i in range(token.start, token.end)]
    assert covered == [i for i, character in enumerate(text) if not character.isspace()]


@given(texts, st.booleans())
def test_offsets_are_those_of_the_text(text, clitics):
    for token in tokenize(text, clitics=clitics):
        assert token.text == text[token.start : token.end]
        assert token.text
        assert not any(character.isspace() for character in token.text)


@given(texts, st.booleans())
def test_words_are_tokenized_once_and_for_all(text, clitics):
    """Tokens joined by spaces are the same tokens, so that corpora and raw text meet in the same words."""
    words = tokenize_words(text, clitics=clitics)
    assert tokenize_words(" ".join(words), clitics=clitics) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("La Coruña, 23 may (EFECOM).", "La Coruña , 23 may ( EFECOM ) ."),
        ("小明在北京 2008年", "小 明 在 北 京 2008 年"),
        ("Costs 1,234.5 or 50% at 12:30.", "Costs 1,234.5 or 50% at 12:30 ."),
        ("The U.S. and J. Smith", "The U.S. and J. Smith"),
        ("Ọlọ́run ní Èkó", "Ọlọ́run ní Èkó"),
        ("mail a.b@c.org or https://x.org/a?b=1.", "mail a.b@c.org or https://x.org/a?b=1 ."),
        ("wait... what--now", "wait ... what -- now"),
        ("O'Neill's well-known AT&T", "O'Neill's well-known AT&T"),
        ("«¿Qué?»", "« ¿ Qué ? »"),
    ],
)
def test_examples(text, words):
    assert tokenize_words(text) == words.split()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Peru's coach didn't say", "Peru 's coach did n't say"),
        ("They'll go, we’re here, I'd", "They 'll go , we ’re here , I 'd"),
        ("O'Neill's", "O'Neill 's"),
        ("students' rights", "students ' rights"),
    ],
)
def test_clitics_are_words_of_their_own_where_asked_for(text, words):
    assert tokenize_words(text, clitics=True) == words.split()


@pytest.mark.parametrize(
    "text",
    [
        "Peru's president, Mr. Toledo, didn't say (yet) that \"it is over\".",
        "They paid $5 for 50% of it; why?",
        'He said "yes" and "no".',
        "wait...",
    ],
)
def test_detokenized_english_is_the_text_again(text):
    assert detokenize(tokenize_words(text, clitics=True)) == text


def test_nothing_gives_nothing():
    assert tokenize("") == tokenize(" \n\t") == []
    assert detokenize([]) == ""
