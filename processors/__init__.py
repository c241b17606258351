"""The worker: cdp.events.v1 to the state of every customer and the changes that follow."""
