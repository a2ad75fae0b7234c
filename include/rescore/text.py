"""The one way texts are compared: folded by one function, values and literals alike."""

import unicodedata
from collections.abc import Iterator


def fold(text: str) -> str:
    """The comparable form of a text: NFC, then Python's `str.lower`, then NFC again.

    Lower-casing can decompose ("İ"), hence the second normalisation. The raw text stays for display.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def is_whole(text: str) -> bool:
    """Whether no character of it is half of one, as Python reads bytes that are no UTF-8: no store has it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def words(folded: str) -> Iterator[str]:
    """The maximal runs of letters and digits (Unicode categories L*, N*, and marks inside them)."""
    word: list[str] = []
    for character in folded:
        if unicodedata.category(character)[0] in "LNM":
            word.append(character)
        elif word:
            yield "".join(word)
            word.clear()
    if word:
        yield "".join(word)


def word_line(folded: str) -> str:
    """The words of a folded text, each between single spaces: `" vp of sales "`, `" "` for none.

    A run of whole words occurs in a text exactly when its word line occurs in the text's, which is
    what lets every engine decide `has_word` with a plain `contains`.
    """
    return " " + "".join(word + " " for word in words(folded))
