"""How nouns show themselves in a notebook: one line of text, and a small table of HTML, never their arrays."""

from collections.abc import Sequence
from html import escape


def bundle(text: str, html: str) -> dict[str, str]:
    """Return a MIME bundle as notebooks ask for it."""
    return {"text/plain": text, "text/html": html}


def html_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a titled HTML table of texts."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<p>{escape(title)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def figure(value: float) -> str:
    """Return a number with as many digits as its size needs."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
