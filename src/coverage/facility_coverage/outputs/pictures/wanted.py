"""What pictures a study asks for, looked at before anything is computed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from facility_coverage.config.study import StudyConfig
from facility_coverage.config.text import Lang
from facility_coverage.errors import ConfigError, Fault
from facility_coverage.outputs.pictures.fonts import fonts_for
from facility_coverage.outputs.texts import texts


def check_wanted(config: StudyConfig, goals: Iterable[str], *, lang: Lang, file: str) -> None:
    """See that the pictures of a study can be drawn.

    Parameters
    ----------
    config, goals
        The study, and the ids of its goals.
    lang, file
        Language of the pictures, and the study's file as the user would type it.

    Raises
    ------
    StudyError
        When no font can write the study's words, or the study names a theme that it cannot have.
    """
    layers = [layer.name.in_language(lang) for layer in config.facilities]
    fonts_for([config.title.in_language(lang), *layers, *texts(lang).values()])
    wanted, groups = config.outputs.picture_theme, ["total", *(group.id for group in config.groups)]
    themes = [
        *(f"coverage:{layer.id}:{group}" for layer in config.facilities for group in groups),
        *(f"goal:{goal}" for goal in goals),
        *(f"{kind}:{group}" for kind in ("density", "proportion") for group in groups),
    ]
    if wanted is not None and wanted not in themes:
        raise ConfigError([no_theme(wanted, themes, file=file, field="outputs.picture_theme")])


def no_theme(wanted: str, themes: Iterable[str], *, file: str, field: str | None = None) -> Fault:
    """Return the fault of a theme that is not there, with those that look like it."""
    known = list(themes)
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.4) or known[:3]
    return Fault(file, f"no theme {wanted!r}", field=field, advice=f"for example {', '.join(near)}")
