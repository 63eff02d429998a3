// Follows a subscription with the client graphql-ws, as a page or a service does, and prints each thing it is told as a
// line of JSON: {"data": …}, {"error": …}, {"closed": code}, {"complete": true}. A lost connection is taken up again
// after the last line that was told.
import { text } from "node:stream/consumers";

import { createClient } from "graphql-ws";
import WebSocket from "ws";

const { url, key, query, segment, most, retries } = JSON.parse(await text(process.stdin));
let after = "0";
let told = 0;

const say = (line) => console.log(JSON.stringify(line));
const client = createClient({
  url,
  webSocketImpl: WebSocket,
  connectionParams: key ? { key } : undefined,
  retryAttempts: 0,
  on: { closed: (event) => say({ closed: event.code ?? null }) },
});

async function follow() {
  for await (const answer of client.iterate({ query, variables: { segment, after } })) {
    say({ data: answer.data, errors: answer.errors });
    after = answer.data.segmentMembership.seq;
    told += 1;
    if (told === most) return;
  }
  say({ complete: true });
}

for (let attempt = 0; attempt <= retries && told < most; attempt += 1) {
  try {
    await follow();
    break;
  } catch (error) {
    say({ error: error.code ?? error.message ?? JSON.stringify(error) });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
await client.dispose();
