"""Any answer -> `Diagnosis`."""

from __future__ import annotations

from faultmaven.services.diagnosis.from_json import from_json
from faultmaven.services.diagnosis.from_markdown import from_markdown
from faultmaven.services.diagnosis.result import AnswerForm, Diagnosis

_MAX_CHARS = 400_000  # longer answers are nobody's structured result


def read_diagnosis(text: str) -> Diagnosis:
    """Take an answer apart; what cannot be taken apart is a diagnosis with a text only.

    Never raises, whatever the text is.
    """
    found = None if len(text) > _MAX_CHARS else from_json(text) or from_markdown(text)
    return found or Diagnosis(AnswerForm.FREE, text)
