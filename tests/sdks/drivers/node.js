// Make calls with an SDK for Node: `node.js segment|rudder`, the order as JSON on stdin, a report on stdout, as
// python.py beside it has them.
'use strict';

const SDKS = {
  segment(host, key, onError) {
    const { Analytics } = require('@segment/analytics-node');
    const analytics = new Analytics({ writeKey: key, host });
    analytics.on('error', onError);
    return { analytics, end: () => analytics.closeAndFlush() };
  },

  rudder(host, key, onError) {
    const Analytics = require('@rudderstack/rudder-sdk-node');
    const analytics = new Analytics(key, { dataPlaneUrl: host, retryCount: 10, errorHandler: onError });
    return { analytics, end: () => analytics.flush() };
  }
};

async function main() {
  const order = JSON.parse(require('fs').readFileSync(0, 'utf8'));
  const errors = [];
  const onError = error => errors.push(String(error.reason || error.message || error.code));
  const { analytics, end } = SDKS[process.argv[2]](order.host, order.key, onError);
  for (const { type, ...fields } of order.calls) {
    await (type === 'flush' ? analytics.flush() : analytics[type](fields));
  }
  await end();
  process.stdout.write(JSON.stringify({ errors }));
}

main();
