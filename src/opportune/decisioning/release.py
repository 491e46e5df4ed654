"""A release: sealed by content hash, verified when opened, refused with a sentence when a byte differs.

Layout: ``manifest.json``, ``catalogue.json``, ``eligibility.json``, ``economics.json``, ``limits.json``,
``features.json`` and ``models/<role>/``. All JSON is canonical. Nothing in it is executed when it is loaded.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import rmtree
from typing import TypeVar

import msgspec

from opportune.decisioning.rulebook import Rulebook
from opportune.domain import RELEASE_FORMAT, BadInput, Finding, Places, ReleaseManifest
from opportune.domain.display import bundle, figure, html_table
from opportune.economics import Assumptions
from opportune.features import Feature
from opportune.models import load as load_model
from opportune.models import save as save_model
from opportune.offers import Eligibility, PricedCatalogue
from opportune.tables import canonical_json, replace_directory, sha256_bytes, sha256_file, write_json

MANIFEST = "manifest.json"
T = TypeVar("T")


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A release, loaded: its manifest, what turns facts into candidates, its limits with the values that were planned,
    and its feature declarations.
    """

    manifest: ReleaseManifest
    rulebook: Rulebook
    limits: tuple[Places, ...]
    features: dict[str, Feature]

    def __repr__(self) -> str:
        sealed, models = self.manifest, len(self.rulebook.models)
        return (
            f"Release({sealed.hash[:12]} of {sealed.project}, as of {sealed.as_of}: {models} models, "
            f"{len(self.features)} features, {len(self.limits)} limits)"
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return text and HTML for a notebook: the prices of limits that were sealed."""
        del include, exclude
        rows = [[name, figure(price)] for name, price in self.manifest.prices.items()]
        return bundle(repr(self), html_table(repr(self), ["limit", "price"], rows))


def write_rulebook(
    directory: Path, rulebook: Rulebook, limits: Sequence[Places], features: Mapping[str, Feature]
) -> None:
    """Write every file of a release but its manifest."""
    write_json(directory / "catalogue.json", rulebook.catalogue)
    write_json(directory / "eligibility.json", rulebook.eligibility)
    write_json(directory / "economics.json", rulebook.assumptions)
    write_json(directory / "limits.json", tuple(limits))
    write_json(directory / "features.json", dict(features))
    for role, model in rulebook.models.items():
        save_model(model, directory / "models" / role)


def seal(
    parent: Path,
    rulebook: Rulebook,
    limits: Sequence[Places],
    features: Mapping[str, Feature],
    prices: Mapping[str, float],
    project: str,
    as_of: str,
) -> ReleaseManifest:
    """Write the release to ``parent/<hash>`` and return its manifest. The same parts give the same hash and bytes."""
    draft = parent / ".draft"

    def build(directory: Path) -> None:
        write_rulebook(directory, rulebook, limits, features)
        manifest = _manifest(directory, prices, project, rulebook.currency, as_of)
        write_json(directory / MANIFEST, manifest)

    replace_directory(draft, build)
    manifest = _read_manifest(draft)
    final = parent / manifest.hash
    if final.exists():
        rmtree(draft)
    else:
        draft.rename(final)
    return manifest


def open_release(directory: Path) -> Release:
    """Load a release after verifying every file. BadInput (OP701-OP703) when it is not what was sealed."""
    manifest = _read_manifest(directory)
    _verify(directory, manifest)
    catalogue = _read(directory / "catalogue.json", PricedCatalogue)
    features = _read(directory / "features.json", dict[str, Feature])
    roles = sorted(path.name for path in (directory / "models").iterdir())
    rulebook = Rulebook(
        catalogue=catalogue,
        eligibility=_read(directory / "eligibility.json", tuple[Eligibility, ...]),
        models={role: load_model(directory / "models" / role) for role in roles},
        assumptions=_read(directory / "economics.json", Assumptions),
        currency=manifest.currency,
        features=tuple(features),
        model_hash=models_hash(manifest.files),
    )
    limits = _read(directory / "limits.json", tuple[Places, ...])
    return Release(manifest=manifest, rulebook=rulebook, limits=limits, features=features)


def models_hash(files: Mapping[str, str]) -> str:
    """Return one hash for the models among hashed files: the identity that forecasts carry."""
    return sha256_bytes(canonical_json({path: digest for path, digest in files.items() if path.startswith("models/")}))


def _manifest(directory: Path, prices: Mapping[str, float], project: str, currency: str, as_of: str) -> ReleaseManifest:
    manifest = ReleaseManifest(
        format=RELEASE_FORMAT, project=project, currency=currency, as_of=as_of, prices=dict(prices),
        files=hashed_files(directory),
    )  # fmt: skip
    return msgspec.structs.replace(manifest, hash=_seal_hash(manifest))


def hashed_files(directory: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a directory by its relative path, manifest excluded."""
    files = sorted(path for path in directory.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(directory).as_posix(): sha256_file(path) for path in files}


def _seal_hash(manifest: ReleaseManifest) -> str:
    return sha256_bytes(canonical_json(msgspec.structs.replace(manifest, hash="")))


def _verify(directory: Path, manifest: ReleaseManifest) -> None:
    if manifest.format != RELEASE_FORMAT:
        raise _refused(directory, "OP702", f"has format {manifest.format}: this version reads format {RELEASE_FORMAT}")
    if manifest.hash != _seal_hash(manifest):
        raise _refused(directory, "OP703", "has a manifest that was changed after sealing")
    found = hashed_files(directory)
    changed = sorted(set(found.items()) ^ set(manifest.files.items()))
    if changed:
        raise _refused(directory, "OP703", f"was changed after sealing: {changed[0][0]}")


def _read_manifest(directory: Path) -> ReleaseManifest:
    path = directory / MANIFEST
    if not path.is_file():
        raise _refused(directory, "OP701", f"is not a release: expected a folder with {MANIFEST}")
    return _read(path, ReleaseManifest)


def _read(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError) as error:
        raise _refused(path.parent, "OP703", f"has an unreadable {path.name}: {error}") from error


def _refused(directory: Path, code: str, message: str) -> BadInput:
    step = "seal the release again with `opportune release`"
    return BadInput([Finding(code=code, source=directory.name, subject="release", message=message, next_step=step)])
