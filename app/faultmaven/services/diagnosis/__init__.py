"""The structured result: ask for it, read it, verify its evidence, show it. All pure."""

from faultmaven.services.diagnosis.evidence import Source, Sources
from faultmaven.services.diagnosis.reading import read_diagnosis
from faultmaven.services.diagnosis.result import AnswerForm, Diagnosis
from faultmaven.services.diagnosis.schema import full_schema, narrow_schema
from faultmaven.services.diagnosis.signals import judge
from faultmaven.services.diagnosis.to_markdown import to_markdown

__all__ = [
    "AnswerForm",
    "Diagnosis",
    "Source",
    "Sources",
    "full_schema",
    "judge",
    "narrow_schema",
    "read_diagnosis",
    "to_markdown",
]
