// Where the server is: ENNEAD_PORT names its port. ENNEAD_PORT of a redis-server tries the tests themselves.

"use strict";

const assert = require("node:assert/strict");
const { setTimeout: sleep } = require("node:timers/promises");

const LIMIT_MS = 30_000;

const where = { host: "127.0.0.1", port: Number(process.env.ENNEAD_PORT) };
assert.ok(where.port, "ENNEAD_PORT is not set");

// Waits until `test` gives something true, and gives that.
async function until(test) {
  const deadline = Date.now() + LIMIT_MS;
  for (;;) {
    const found = await test();
    if (found) return found;
    assert.ok(Date.now() < deadline, `waited too long for ${test}`);
    await sleep(10);
  }
}

module.exports = { where, until, LIMIT_MS };
