"""Split the command of a RUN into simple commands, where it is nothing but a list of them."""

from __future__ import annotations

import posixpath
import shlex

from bench.orderings.rewrites.errors import UnprovableError

_SEPARATORS = frozenset({"&&", ";"})
_BEYOND = "$`\n"


def commands(text: str) -> list[list[str]]:
    """Return the words of each simple command of ``text``, in order.

    Raises:
        UnprovableError: it has variables, pipes, redirections, jobs or anything else whose
            meaning depends on more than its words.

    """
    for character in _BEYOND:
        if character in text:
            raise UnprovableError("its command is more than a list of plain commands")
    found: list[list[str]] = [[]]
    for token in _tokens(text):
        if token in _SEPARATORS:
            found.append([])
        elif token and set(token) <= set("();<>|&"):
            raise UnprovableError(f"its command uses {token}")
        else:
            found[-1].append(token)
    named = [words for words in found if words]
    for words in named:
        if "=" in words[0]:
            raise UnprovableError("its command sets a variable")
    return named


def _tokens(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError as error:
        raise UnprovableError(f"its command cannot be read: {error}") from error


def is_usual_shell(shell: tuple[str, ...]) -> bool:
    """Tell whether a shell form is run by a shell whose words are split as here."""
    if not shell or posixpath.basename(shell[0]) not in {"sh", "bash", "ash", "dash"}:
        return False
    return shell[-1].startswith("-") and shell[-1].endswith("c")
