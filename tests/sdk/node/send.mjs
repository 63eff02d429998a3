// Makes the calls that stand in the standard input with the SDK named there, and ends when they are delivered.
// It prints what the SDK said went wrong: {"errors": [...]}.
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";

import RudderAnalytics from "@rudderstack/rudder-sdk-node";
import { Analytics } from "@segment/analytics-node";

const { sdk, host, key, calls } = JSON.parse(await text(process.stdin));
const errors = [];

async function make(call) {
  for (const { type, ...message } of calls) {
    call(type, message);
    await setTimeout(2); // whoever makes calls does so one after the other
  }
}

async function segment() {
  const analytics = new Analytics({ writeKey: key, host, flushInterval: 100 });
  analytics.on("error", ({ code, reason }) => errors.push(`${code}: ${reason}`));
  await make((type, message) => analytics[type](message));
  await analytics.closeAndFlush({ timeout: 30_000 });
}

async function rudder() {
  const analytics = new RudderAnalytics(key, { dataPlaneUrl: host, flushInterval: 100, logLevel: "none" });
  const delivered = [];
  await make((type, message) => {
    delivered.push(
      new Promise((done) => analytics[type](message, (error) => done(error && errors.push(String(error))))),
    );
  });
  await Promise.all(delivered);
}

await { segment, rudder }[sdk]();
console.log(JSON.stringify({ errors }));
