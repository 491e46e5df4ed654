"""One demo output and one small project per session: made once, read by all. `make test` has two processes, and a file's
tests stay in one: all that read the demo are in one file.

Property tests draw the same examples in every run, so that a red run can be run again; `--hypothesis-profile=search`
draws new ones, to look for more.
"""

import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from opportune.project import Project
from opportune.workflow.scaffold import scaffold

settings.register_profile("same", derandomize=True)
settings.register_profile("search", derandomize=False)
settings.load_profile("same")

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """The demo, run once into a folder of its own."""
    project = Project.open(ROOT / "examples" / "reengagement", out=tmp_path_factory.mktemp("demo") / "out")
    project.run()
    return project


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """A new project, as `opportune new` makes it, run once."""
    directory = tmp_path_factory.mktemp("small") / "project"
    scaffold(directory)
    project = Project.open(directory)
    project.run()
    return project


@pytest.fixture
def small(small_run, tmp_path):
    """A copy of the small project without outputs, free to be broken."""
    directory = tmp_path / "project"
    shutil.copytree(small_run.settings.directory, directory, ignore=shutil.ignore_patterns("out"))
    return directory
