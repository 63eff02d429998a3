"""Segment's SDK for browsers, in a page of a shop that the system's Chromium shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from playwright.sync_api import Page, sync_playwright

from tests.sdk.packages import packages
from tests.support.server import SECONDS
from tests.support.tools import needed

BUILT = Path("@segment") / "analytics-next" / "dist" / "umd"
BUNDLES = "/analytics-next/bundles/"
"""Where the SDK looks for its parts, below the address it has been told."""
SHOP = b'<!doctype html><title>Shop</title><link rel="icon" href="data:,"><script src="/index.js"></script>'

MAKE = """
async ({ key, host, strategy, calls }) => {
  const segment = { apiHost: `${host}/v1`, protocol: "http", deliveryStrategy: strategy };
  const [analytics] = await AnalyticsNext.AnalyticsBrowser.load(
    { writeKey: key, cdnURL: location.origin, cdnSettings: { integrations: { "Segment.io": { apiKey: key } } } },
    { integrations: { "Segment.io": segment } },
  );
  window.failures = [];
  analytics.on("error", ({ code, reason }) => window.failures.push(`${code}: ${reason}`));
  for (const { type, userId, anonymousId, previousId, groupId, event, name, properties, traits } of calls) {
    if (anonymousId) analytics.setAnonymousId(anonymousId);
    if (userId) analytics.user().id(userId);
    await {
      identify: () => analytics.identify(userId, traits),
      track: () => analytics.track(event, properties),
      page: () => analytics.page(undefined, name, properties),
      group: () => analytics.group(groupId, traits),
      alias: () => analytics.alias(userId, previousId),
    }[type]();
  }
}
"""
ONE_BY_ONE = {"strategy": "standard"}
IN_BATCHES = {"strategy": "batching", "config": {"size": 20, "timeout": 100}}


class Shop(SimpleHTTPRequestHandler):
    """Serves a page, and the SDK to it."""

    def do_GET(self) -> None:
        """Answer."""
        if self.path == "/":
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(SHOP)))
            self.end_headers()
            self.wfile.write(SHOP)
            return
        self.path = self.path.removeprefix(BUNDLES.rstrip("/"))
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # so it is called there
        """Say nothing."""


@contextmanager
def shop() -> Iterator[str]:
    """A web site of its own; -> its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Shop, directory=str(packages() / BUILT)))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(SECONDS)
        server.server_close()


@contextmanager
def opened(origin: str) -> Iterator[Page]:
    """The site's page in a browser."""
    chromium = needed("chromium", "apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            page = browser.new_page()
            page.goto(origin)
            yield page
        finally:
            browser.close()
