"""Numbers as YAML gives them: text, true and false are not numbers, nor are infinity and NaN."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
WholeNumber = Annotated[int, Field(strict=True)]
