"""Texts that exist in Chinese and English."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

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

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe what YAML may hold: a string, or one or both languages."""
        reference = handler(schema)
        definition = handler.resolve_ref_schema(reference)
        both = {key: value for key, value in definition.items() if key not in ("required", "title", "description")}
        both["minProperties"] = 1
        definition.clear()
        definition.update(
            title="Text", description="A text, or one per language", anyOf=[{"type": "string", "minLength": 1}, both]
        )
        return reference

    def in_language(self, lang: Lang) -> str:
        """Return the text in `lang`."""
        return self.zh if lang == "zh" else self.en
