"""Texts that exist in Chinese and English."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Lang = Literal["zh", "en"]


class Text(BaseModel):
    """A text in Chinese, English or both; a plain string in YAML serves for both.

    Examples
    --------
    >>> Text.model_validate("诊所").in_language("en")
    '诊所'
    >>> Text.model_validate({"zh": "诊所", "en": "Clinics"}).in_language("en")
    'Clinics'
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str = Field(min_length=1, description="Chinese text")
    en: str = Field(min_length=1, description="English text")

    @model_validator(mode="before")
    @classmethod
    def _one_text_serves_both(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"zh": value, "en": value}
        if isinstance(value, dict) and len(value) == 1 and set(value) <= {"zh", "en"}:
            (text,) = value.values()
            return {"zh": text, "en": text}
        return value

    def in_language(self, lang: Lang) -> str:
        """Return the text in `lang`."""
        return self.zh if lang == "zh" else self.en
