"""What of a text is kept, and what a reading passes over: emoji whole, nothing that only hides."""

import unicodedata

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from moderation.policy.rulebook import policy_document, prompt_readings, word_rules
from moderation.policy.rulebook.characters import visible
from tests.moderation import evasions

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
EMOJI = [
    "\U0001fa77",  # pink heart, Unicode 15
    "\U0001fae8",  # shaking face
    "\U0001fae9",  # face with bags under its eyes, Unicode 16
    "\u2764\ufe0f",
    "\u2764\ufe0f\u200d\U0001f525",
    "1\ufe0f\u20e3",
    "#\u20e3",
    "\U0001f44d\U0001f3fd",
    "\U0001f9d1\U0001f3fb\u200d\U0001f91d\u200d\U0001f9d1\U0001f3ff",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f3f3\ufe0f\u200d\U0001f308",
    "\U0001f3f3\ufe0f\u200d\u26a7\ufe0f",
    "\U0001f1e9\U0001f1ea",
    ENGLAND,
    ENGLAND.replace("\U000e0065\U000e006e\U000e0067", "\U000e0073\U000e0063\U000e0074"),
]
JOINED = ["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0915\u094d\u200d\u0937"]
HIDING = (
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u2061\u2066\u2069\u00ad\u034f\u061c\u115f"
    "\u180e\u2800\u3164\uffa0\ufe0f\ufe0e\ufeff\ufff9\U000e0001\U000e0041\U000e007f\U000e0100"
    "\u2065\U000e0fff\x00\x07\x1b\x7f\x9f"
)


@pytest.mark.parametrize("kept", EMOJI + JOINED)
def test_what_belongs_to_a_sign_survives_whole(kept: str) -> None:
    assert visible(kept) == kept
    assert visible(f"a {kept} on{kept}a hill") == f"a {kept} on{kept}a hill"


@pytest.mark.parametrize("hidden", HIDING, ids=lambda letter: f"U+{ord(letter):04X}")
def test_what_only_hides_is_dropped_and_unread(hidden: str) -> None:
    assert visible(f"ap{hidden}ple") == "apple"
    assert visible(hidden) == ""
    assert prompt_readings.canonical(f"ap{hidden}ple").text == "apple"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\u200db", "ab"),
        ("\U0001f3f4\U000e006e\U000e0075\U000e0064\U000e0065\U000e007f", "\U0001f3f4"),
        ("a\ud83db", "ab"),
        ("a\u2028b\tc\n\nd", "a b c d"),
        ("straw\u00adberry", "strawberry"),
        ("e\u0301", "\u00e9"),
        ("\u0600\u0661", "\u0600\u0661"),  # a format character that is drawn
        ("\ue000 \ufffd \U0001faff", "\ue000 \ufffd \U0001faff"),
        ("\U0001f468\u200d\u200d\U0001f469", "\U0001f468\U0001f469"),
        ("\u200d\U0001f469\u200d", "\U0001f469"),
    ],
)
def test_visible_keeps_what_is_drawn(typed: str, kept: str) -> None:
    assert visible(typed) == kept


@given(st.text() | st.text(alphabet=HIDING + "ab \u0915\u094d" + "".join(EMOJI)))
@example("\U0001f468\u200b\u200d\U0001f469")
@example("\u0915\u200d\u0301")
def test_visible_is_stable_and_invents_nothing(text: str) -> None:
    once = visible(text)
    assert visible(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert once == " ".join(once.split())
    once.encode()


@given(st.text(alphabet=st.characters(exclude_categories=["C", "Z", "M"])))
def test_visible_drops_no_letter_sign_or_number(text: str) -> None:
    drawn = "".join(regex.findall(r"\P{Default_Ignorable_Code_Point}", text)).replace("\u2800", "")
    assert visible(text) == unicodedata.normalize("NFC", drawn)


@given(st.data())
def test_hiding_between_the_letters_changes_no_reading(data: st.DataObject) -> None:
    plain = "a naked woman"
    hidden = "".join(letter + data.draw(st.text(alphabet=HIDING, max_size=3)) for letter in plain)
    assert prompt_readings.canonical(hidden).text == plain
    assert prompt_readings.canonical(visible(hidden)).text == plain


def test_words_with_tags_and_joiners_between_the_letters_are_still_found() -> None:
    book = policy_document.load(policy_document.ACTIVE["general"])
    assert word_rules.match(book.rules, "a naked woman", {}, book.words)
    for hidden in ("\u200d", "\U000e0041", "\ufe0f", "\u202e"):
        typed = evasions.zero_width("a naked woman").replace("\u200b", hidden)
        assert word_rules.match(book.rules, typed, {}, book.words)
