"""Pages that are made and not written: one per error code with their index, and the commands' own help."""

from importlib.resources import files as package_files
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from typer.main import get_command

from opportune.cli.app import app
from opportune.cli.explain import HEADING, explanations

COMMANDS = "reference/commands.md"


def on_files(files: Files, config: Any) -> Files:
    """Add the pages of the error codes to the site."""
    for path, text in {"reference/errors.md": _index(), **_codes()}.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **named: Any) -> str:
    """Put each command's own help under the page of commands."""
    del named
    return f"{markdown}\n{_help()}" if page.file.src_uri == COMMANDS else markdown


def _index() -> str:
    written = (package_files("opportune.cli") / "explanations.md").read_text(encoding="utf-8")
    rows = "\n".join(f"| [{code}](errors/{code}.md) | {title} |" for code, (title, _) in explanations().items())
    return f"{HEADING.split(written)[0]}\n| code | means |\n|---|---|\n{rows}\n"


def _codes() -> dict[str, str]:
    told = explanations().items()
    return {f"reference/errors/{code}.md": f"# {code}: {title}\n\n{text}\n" for code, (title, text) in told}


def _help() -> str:
    """Return every command's help, as the command line prints it at 100 columns."""
    commands = get_command(app).commands.items()
    return "\n".join(f"## opportune {name}\n\n```text\n{_text(name, command)}\n```\n" for name, command in commands)


def _text(name: str, command: Any) -> str:
    context = command.make_context(f"opportune {name}", [], resilient_parsing=True, terminal_width=100)
    return str(command.get_help(context)).strip()
