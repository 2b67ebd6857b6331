// BullMQ: queues that live in Lua scripts of many keys, sorted sets, streams and blocking pops.

"use strict";

const assert = require("node:assert/strict");
const { fork } = require("node:child_process");
const { test, describe, before, afterEach, after } = require("node:test");
const { FlowProducer, Queue, QueueEvents, Worker } = require("bullmq");
const Redis = require("ioredis");
const { where, until, LIMIT_MS } = require("./server");

const connection = { ...where, maxRetriesPerRequest: null };

describe("BullMQ", { timeout: 2 * LIMIT_MS }, () => {
  const r = new Redis(where);
  let open = [];
  const kept = (object) => (open.push(object), object);
  const queueOf = (name) => kept(new Queue(name, { connection }));
  const workerOf = (name, work, options) => kept(new Worker(name, work, { connection, ...options }));

  before(() => r.flushall());
  afterEach(async () => {
    for (const object of open.reverse()) await object.close();
    open = [];
  });
  after(() => r.disconnect());

  test("a hundred jobs, several at a time, and their events", async () => {
    const queue = queueOf("hundred");
    const events = kept(new QueueEvents("hundred", { connection, lastEventId: "0" }));
    await events.waitUntilReady();
    const completed = new Map();
    events.on("completed", ({ jobId, returnvalue }) => completed.set(jobId, returnvalue));
    const jobs = await queue.addBulk(Array.from({ length: 100 }, (_, n) => ({ name: "square", data: { n } })));
    assert.equal(await queue.getWaitingCount(), 100);
    workerOf("hundred", async ({ data }) => data.n * data.n, { concurrency: 10 });
    await until(() => completed.size === 100);
    assert.deepEqual(jobs.map((job) => completed.get(job.id)), Array.from({ length: 100 }, (_, n) => n * n));
    const counts = await queue.getJobCounts();
    assert.deepEqual([counts.completed, counts.waiting, counts.active, counts.failed], [100, 0, 0, 0]);
    assert.equal((await queue.getJob(jobs[7].id)).returnvalue, 49);
  });

  test("the same id is added once; more urgent jobs go first; a result is waited for", async () => {
    const queue = queueOf("order");
    const events = kept(new QueueEvents("order", { connection, lastEventId: "0" }));
    await events.waitUntilReady();
    for (let time = 0; time < 2; time++) await queue.add("once", {}, { jobId: "only", priority: 5 });
    await queue.add("urgent", {}, { priority: 1 });
    const last = await queue.add("last", {}, { priority: 10 });
    const done = [];
    workerOf("order", async (job) => done.push(job.name));
    assert.equal(await last.waitUntilFinished(events, LIMIT_MS), 3);
    assert.deepEqual(done, ["urgent", "once", "last"]);
  });

  test("a delayed job waits its time", async () => {
    const queue = queueOf("delayed");
    const done = [];
    const sent = Date.now();
    await queue.add("later", {}, { delay: 1000 });
    await queue.add("now", {});
    assert.equal(await queue.getDelayedCount(), 1);
    workerOf("delayed", async (job) => done.push([job.name, Date.now()]));
    await until(() => done.length === 2);
    assert.deepEqual(done.map(([name]) => name), ["now", "later"]);
    assert.ok(done[1][1] - sent >= 990, `came after ${done[1][1] - sent} ms`);
  });

  test("failures are tried again, later each time, and then given up", async () => {
    const queue = queueOf("retries");
    const times = { flaky: [], broken: [] };
    const worker = workerOf("retries", async (job) => {
      times[job.name].push(Date.now());
      if (job.name === "broken" || job.attemptsMade < 2) throw new Error(`attempt ${job.attemptsMade}`);
      return "at last";
    });
    worker.on("error", assert.ifError);
    const backoff = { type: "exponential", delay: 100 };
    const flaky = await queue.add("flaky", {}, { attempts: 5, backoff });
    const broken = await queue.add("broken", {}, { attempts: 2, backoff });
    await until(async () => (await flaky.isCompleted()) && (await broken.isFailed()));
    assert.deepEqual([times.flaky.length, times.broken.length], [3, 2]);
    assert.ok(times.flaky[1] - times.flaky[0] >= 95 && times.flaky[2] - times.flaky[1] >= 195, `${times.flaky}`);
    assert.equal((await queue.getJob(broken.id)).failedReason, "attempt 1");
    assert.equal((await queue.getJob(flaky.id)).returnvalue, "at last");
    await broken.retry();
    await until(() => times.broken.length >= 3);
  });

  test("a parent waits for its children and gets what they found", async () => {
    const flows = kept(new FlowProducer({ connection }));
    const results = [];
    workerOf("children", async ({ data }) => data.n * 10, { concurrency: 3 });
    workerOf("parents", async (job) => results.push(await job.getChildrenValues()));
    const children = [1, 2, 3].map((n) => ({ name: `child ${n}`, queueName: "children", data: { n } }));
    const flow = await flows.add({ name: "parent", queueName: "parents", children });
    await until(() => results.length === 1);
    assert.deepEqual(Object.values(results[0]).sort(), [10, 20, 30]);
    await until(() => flow.job.isCompleted());
    assert.equal((await flows.getFlow({ id: flow.job.id, queueName: "parents" })).children.length, 3);
  });

  test("a scheduler makes a job at every interval until it is removed", async () => {
    const queue = queueOf("repeated");
    const done = [];
    workerOf("repeated", async (job) => done.push([job.name, job.data.from]));
    await queue.upsertJobScheduler("tick", { every: 150 }, { name: "tick", data: { from: "scheduler" } });
    await queue.upsertJobScheduler("nightly", { pattern: "0 3 * * *", tz: "UTC" }, { name: "nightly" });
    assert.equal(await queue.getJobSchedulersCount(), 2);
    const nightly = await queue.getJobScheduler("nightly");
    assert.equal(new Date(nightly.next).getUTCHours(), 3);
    await until(() => done.length >= 4);
    assert.deepEqual(new Set(done.map(String)), new Set(["tick,scheduler"]));
    assert.equal(await queue.removeJobScheduler("tick"), true);
    assert.equal(await queue.getJobSchedulersCount(), 1);
  });

  test("a job whose worker was killed goes to another one", async () => {
    const queue = queueOf("stalled");
    const job = await queue.add("long", {});
    const doomed = fork(`${__dirname}/doomed_worker.js`, ["stalled"]);
    await new Promise((resolve) => doomed.once("message", resolve));
    doomed.kill("SIGKILL");
    assert.equal(await job.getState(), "active");
    const stalled = [];
    const worker = workerOf("stalled", async () => "recovered", { stalledInterval: 200 });
    worker.on("stalled", (id) => stalled.push(id));
    await until(() => job.isCompleted());
    assert.deepEqual(stalled, [job.id]);
    assert.equal((await queue.getJob(job.id)).returnvalue, "recovered");
  });

  test("a rate limit, a pause, and cleaning up", async () => {
    const queue = queueOf("limited");
    await queue.pause();
    await queue.addBulk(Array.from({ length: 6 }, (_, n) => ({ name: "job", data: { n } })));
    const started = [];
    workerOf("limited", async () => started.push(Date.now()), { limiter: { max: 2, duration: 300 } });
    assert.equal(await queue.isPaused(), true);
    const begun = Date.now();
    await queue.resume();
    await until(() => started.length === 6);
    // Two at a time: the last two come when the limit was reached twice.
    assert.ok(started[5] - begun >= 590, `${started.map((time) => time - begun)}`);
    await until(async () => (await queue.getCompletedCount()) === 6);
    assert.equal((await queue.clean(0, 100, "completed")).length, 6);
    await queue.obliterate({ force: true });
    // The count of the limiter goes when its time is over.
    await until(async () => (await r.keys("bull:limited:*")).length === 0);
  });
});
