"""Code examples that call an exported model with its columns and a real row."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.data.shell_quoting import word
from workbench.runtime.bundle.manifest import GOLDEN_FILE


def golden_row(bundle: Path) -> dict[str, Any]:
    """Return the first golden row of a bundle: column to value."""
    with (bundle / GOLDEN_FILE).open(encoding="utf-8") as lines:
        row: dict[str, Any] = json.loads(next(lines))["input"]
    return row


def commands(bundle: str) -> str:
    """Return the commands that use a bundle."""
    place = word(Path(bundle))
    return "\n".join(
        [
            f"workbench predict {place} rows.csv --out predictions.csv",
            f"workbench serve {place} --port 8080",
            f"workbench verify {place}",
            "",
            "# or without workbench:",
            f"cd {place}",
            "pip install -r requirements.txt",
            "python -m runtime serve --port 8080",
        ]
    )


def dockerfile(bundle: Path) -> tuple[str, bool]:
    """Return a Dockerfile for a bundle, and whether it is the bundle's own file.

    If the bundle has none, the returned file belongs next to the bundle folder.
    """
    own = bundle / "Dockerfile"
    if own.is_file():
        return own.read_text(encoding="utf-8"), True
    name = bundle.name
    lines = [
        "FROM python:3.11-slim",
        "WORKDIR /model",
        f"COPY {json.dumps([f'{name}/requirements.txt', '.'])}",
        "RUN pip install --no-cache-dir -r requirements.txt",
        f"COPY {json.dumps([name, '.'])}",
        "USER 65534",
        "EXPOSE 8080",
        "ENV ORT_DISABLE_TELEMETRY=1 WORKBENCH_HOST=0.0.0.0 WORKBENCH_DRAIN=5",
        'ENTRYPOINT ["python", "-m", "runtime"]',
        'CMD ["serve"]',
        "",
    ]
    return "\n".join(lines), False


def docker_commands(bundle: Path, *, own: bool) -> str:
    """Return the commands that build and run the container."""
    tag = re.sub(r"[^a-z0-9]+", "-", bundle.name.lower()).strip("-") or "model"
    place = word(bundle if own else bundle.parent)
    return f"docker build -t {tag} {place}\ndocker run --rm -p 8080:8080 {tag}"


def curl(row: Mapping[str, Any]) -> str:
    """Return a request with curl.

    Examples
    --------
    >>> print(curl({"plan": "it's"}))
    curl -s http://localhost:8080/predict \\
      -H 'Content-Type: application/json' \\
      -d '{"rows": [{"plan": "it'"'"'s"}]}'
    """
    body = shlex.quote(json.dumps({"rows": [dict(row)]}, ensure_ascii=False))
    return f"curl -s http://localhost:8080/predict \\\n  -H 'Content-Type: application/json' \\\n  -d {body}"


def python(bundle: str, row: Mapping[str, Any]) -> str:
    """Return Python code that loads a bundle and predicts one row."""
    fields = "".join(f"    {key!r}: {value!r},\n" for key, value in row.items())
    return (
        "import workbench as wb\n\n"
        f"model = wb.load({bundle!r})\n"
        f"row = {{\n{fields}}}\n"
        "print(model.predict(row))\n"
        "print(model.predict_proba(row))  # classes only; columns as in model.classes_\n"
    )


def javascript(row: Mapping[str, Any]) -> str:
    """Return JavaScript that calls a server."""
    body = json.dumps(dict(row), ensure_ascii=False, indent=2).replace("\n", "\n  ")
    return (
        f"const row = {body.replace(chr(10) + '  ', chr(10))};\n\n"
        'const response = await fetch("http://localhost:8080/predict", {\n'
        '  method: "POST",\n'
        '  headers: { "Content-Type": "application/json" },\n'
        "  body: JSON.stringify({ rows: [row] }),\n"
        "});\n"
        "if (!response.ok) throw new Error((await response.json()).error);\n"
        "console.log(await response.json());\n"
    )


def java(row: Mapping[str, Any]) -> str:
    """Return Java code (11 and later) that calls a server."""
    body = json.dumps({"rows": [dict(row)]}, ensure_ascii=True)
    return (
        "import java.net.URI;\n"
        "import java.net.http.*;\n\n"
        "public class Predict {\n"
        "    public static void main(String[] args) throws Exception {\n"
        f"        String body = {json.dumps(body)};\n"
        '        HttpRequest request = HttpRequest.newBuilder(URI.create("http://localhost:8080/predict"))\n'
        '            .header("Content-Type", "application/json")\n'
        "            .POST(HttpRequest.BodyPublishers.ofString(body))\n"
        "            .build();\n"
        "        HttpResponse<String> response =  HttpClient.newHttpClient()\n"
        "            .send(request, HttpResponse.BodyHandlers.ofString());\n"
        "        System.out.println(response.body());\n"
        "    }\n"
        "}\n"
    )
