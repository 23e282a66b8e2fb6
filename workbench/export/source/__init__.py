"""A linear or small tree model as source text: the whole scorer, preprocessing included, depending on nothing."""

from .languages import LANGUAGES
from .write_source import SOURCE_FOLDER, check_languages, source_files, source_head

__all__ = ["LANGUAGES", "SOURCE_FOLDER", "check_languages", "source_files", "source_head"]
