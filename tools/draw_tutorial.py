"""Run the Python of docs/tutorial/frontier.md and keep the picture that it draws in docs/pictures.

python tools/draw_tutorial.py
"""

import os
import re
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "tutorial" / "frontier.md"
PICTURE = ROOT / "docs" / "pictures" / "frontier.svg"


def main() -> None:
    """Run the blocks in an empty folder, then move the picture."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        exec("\n".join(blocks), {})
        PICTURE.write_bytes((Path(folder) / "frontier.svg").read_bytes())
        os.chdir(ROOT)


if __name__ == "__main__":
    main()
