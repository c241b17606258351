"""ingest/snippet/cdp.js in headless Chromium, on a shop's pages of another origin."""
