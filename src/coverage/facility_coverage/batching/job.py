"""What a worker does with one study: nothing if its result is there, else a run."""

from __future__ import annotations

import gc
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facility_coverage.batching.outcome import Ending, Outcome
from facility_coverage.batching.tasks import Task
from facility_coverage.config.reading import LoadedStudy, load_study
from facility_coverage.config.template import Template
from facility_coverage.config.text import Lang
from facility_coverage.errors import StudyError
from facility_coverage.outputs.verdict_tables import read_verdicts
from facility_coverage.running import basis_of, run_study


@dataclass(frozen=True)
class StudyJob:
    """Runs the studies of one batch.

    Attributes
    ----------
    folder
        Of all results.
    lang
        Language of the outputs; None for each study's own.
    threads
        Threads of one study.
    resume
        Whether a study whose result is there, and would come out the same, is skipped.
    allow_outside
        Whether studies may name files outside their folders.
    """

    folder: Path
    lang: Lang | None
    threads: int
    resume: bool
    allow_outside: bool = False

    def __call__(self, task: Task, progress: Callable[[str], None]) -> Outcome:
        """Return how the study ended; nothing that goes wrong with it goes any further."""
        begin = time.monotonic()
        ending: Ending = "failed"
        reasons: tuple[str, ...] = ()
        try:
            ending = self._run(task, progress)
        except StudyError as error:
            reasons = tuple(str(fault) for fault in error.faults)
        except MemoryError:
            reasons = ("memory ran out; use fewer workers, or raise memory_mb",)
        except OSError as error:
            file = Path(str(error.filename)).name + ": " if error.filename else ""
            reasons = (
                f"{file}{error.strerror or error}; see that the disk has room, and that files may be read and written",
            )
        except Exception as error:
            said = " ".join(str(error).split())[:300]
            reasons = (f"the program failed ({type(error).__name__}: {said}); run the study alone, and report this",)
        gc.collect()
        return Outcome(task.name, ending, reasons, time.monotonic() - begin)

    def _run(self, task: Task, progress: Callable[[str], None]) -> Ending:
        import numba  # noqa: PLC0415 - only workers need it

        folder = self.folder / task.name
        if self.resume and (folder / "run.json").is_file():
            progress("compare with the result there")
            study = load_study(task.source, allow_outside=self.allow_outside)
            if is_current(folder, task.source, study, lang=self.lang or study.config.lang):
                return "skipped"
        threads = min(self.threads, numba.get_num_threads(), os.cpu_count() or 1)
        numba.set_num_threads(threads)
        run_study(
            task.source, folder=folder, lang=self.lang, threads=threads, allow_outside=self.allow_outside,
            progress=progress,
        )  # fmt: skip
        return "done"


def is_current(folder: Path, source: Path | Template, study: LoadedStudy, *, lang: Lang) -> bool:
    """Return whether a result folder holds what the study, its files and this program would write now."""
    try:
        passport: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        read_verdicts(folder)
        basis = basis_of(source, study, lang)
        # As JSON says it: dates and such are texts there.
        parameters = json.loads(json.dumps(basis.parameters, ensure_ascii=False, default=str))
        same = passport["identity"] == basis.identity and passport["parameters"] == parameters
    except (StudyError, OSError, ValueError, KeyError, TypeError):
        return False
    return bool(same and (folder / "map.html").is_file())
