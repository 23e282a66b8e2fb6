from __future__ import annotations

import ast
import json
import shlex
from pathlib import Path

from tests.ui.made import NASTY
from workbench.ui import snippets

ROW = {"plan": 'it\'s "quoted"\n', "age": 41.0, "new": True, "gone": None, NASTY: "ü"}


def test_the_row_arrives_as_it_is_in_every_language() -> None:
    words = shlex.split(snippets.curl(ROW).replace("\\\n", " "))
    assert json.loads(words[words.index("-d") + 1]) == {"rows": [ROW]}
    tree = ast.parse(snippets.python("bundles/a'b", ROW))
    [given] = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
    ]
    assert ast.literal_eval(given) == ROW
    script = snippets.javascript(ROW)
    assert json.loads(script[script.index("{") : script.index("};") + 1]) == ROW
    line = next(each for each in snippets.java(ROW).splitlines() if "String body" in each)
    assert json.loads(json.loads(line.split(" = ", 1)[1].removesuffix(";"))) == {"rows": [ROW]}


def test_a_bundles_own_dockerfile_is_shown(tmp_path: Path) -> None:
    content, own = snippets.dockerfile(tmp_path)
    assert not own
    assert f'COPY ["{tmp_path.name}/requirements.txt", "."]' in content
    assert 'COPY ["a b", "."]' in snippets.dockerfile(tmp_path / "a b")[0]
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    assert snippets.dockerfile(tmp_path) == ("FROM scratch\n", True)
    assert snippets.docker_commands(tmp_path, own=True).count(str(tmp_path)) == 1
    build, start = snippets.docker_commands(Path("out/My bundle"), own=True).splitlines()
    assert shlex.split(build) == ["docker", "build", "-t", "my-bundle", "out/My bundle"]
    assert start.endswith(" my-bundle")
