"""Each page, light and dark, by the rules of axe-core: nothing that it calls serious or
critical.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.ui.browsing import MISSING, NEEDS_CHROMIUM, axe_script, settled
from tests.ui.test_browser import PAGES

pytest.importorskip("playwright.sync_api", reason=MISSING)
AXE = axe_script()
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    NEEDS_CHROMIUM,
    pytest.mark.skipif(
        AXE is None, reason="no axe-core (npm install axe-core): accessibility was not checked"
    ),
]

SCHEMES = ("light", "dark")
RUN_AXE = """async () => {
    const found = await axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']});
    return found.violations
        .filter(each => ['serious', 'critical'].includes(each.impact))
        .flatMap(each => each.nodes.map(node => `${each.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`));
}"""


@pytest.mark.parametrize(("name", "path", "landmark"), PAGES)
def test_no_page_has_a_serious_violation(page: Any, name: str, path: str, landmark: str) -> None:
    page.goto(path)
    page.get_by_role("heading", name=landmark).first.wait_for()
    page.add_script_tag(content=AXE)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        settled(page)
        found = page.evaluate(RUN_AXE)
        assert found == [], f"{name} in {scheme}"
