"""Export a linear or small tree model as source code: a scorer with preprocessing and without
dependencies.
"""

from .languages import LANGUAGES
from .write_source import SOURCE_FOLDER, check_languages, source_files, source_head

__all__ = ["LANGUAGES", "SOURCE_FOLDER", "check_languages", "source_files", "source_head"]
