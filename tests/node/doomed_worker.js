// A worker that takes one job, says so, and never ends it; bullmq.test.js kills it. Its argument names the queue.

"use strict";

const { Worker } = require("bullmq");
const { where } = require("./server");

const take = () => new Promise(() => process.send("taken"));
// All workers of a queue look for stalled jobs together, so often as the one that looked last says.
const often = { stalledInterval: 200, lockDuration: 1000 };
new Worker(process.argv[2], take, { connection: { ...where, maxRetriesPerRequest: null }, ...often });
