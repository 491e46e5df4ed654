"""`opportune explain`."""

import re
import shutil
import textwrap
from difflib import get_close_matches
from importlib.resources import files
from typing import Annotated

import typer

from opportune.cli.arguments import Json
from opportune.cli.printing import print_json

NAME = "explain"
HEADING = re.compile(r"^## (OP\d{3}): (.*)\n", re.MULTILINE)
WIDEST = 100


def command(
    code: Annotated[str, typer.Argument(help="The code of a message, such as OP012.")], as_json: Json = False
) -> None:
    """Tell what a code means, why it matters and how to mend it; no network is needed."""
    told, code = explanations(), code.upper()
    if code not in told:
        raise _unknown(code, list(told))
    title, text = told[code]
    if as_json:
        print_json({"code": code, "title": title, "text": text})
    else:
        print(f"{code}: {title}\n\n{wrapped(text)}")


def explanations() -> dict[str, tuple[str, str]]:
    """Return title and text (Markdown) of every code; the docs make a page of each."""
    whole = (files("opportune.cli") / "explanations.md").read_text(encoding="utf-8")
    parts = HEADING.split(whole)[1:]
    return {code: (title, text.strip()) for code, title, text in zip(*(parts[i::3] for i in range(3)), strict=True)}


def wrapped(text: str) -> str:
    """Return paragraphs filled to the width of the terminal; examples stay as they are, without their fences."""
    width = min(shutil.get_terminal_size().columns, WIDEST)
    blocks = [
        textwrap.indent(re.sub(r"^```.*\n|\n```$", "", block), "    ") if block.startswith("```") else
        textwrap.fill(" ".join(block.split()), width)
        for block in text.split("\n\n")
    ]  # fmt: skip
    return "\n\n".join(blocks)


def _unknown(code: str, known: list[str]) -> Exception:
    from opportune.domain import BadInput, Finding

    near = get_close_matches(code, known, 3, 0.5)
    hint = f"Did you mean {', '.join(near)}?" if near else "Codes look like OP012."
    message = f"is not a code of a message. {hint}"
    step = "copy the code from the message"
    return BadInput([Finding(code="OP822", source="opportune explain", subject=code, message=message, next_step=step)])
