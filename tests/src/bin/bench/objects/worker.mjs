// A peer of the bench: 1 KB of JSON into a worker of Node and an answer back,
// so many in flight; prints the messages per second.

import { Worker, isMainThread, parentPort } from "node:worker_threads";

if (isMainThread) {
  const [, , samples, depth] = process.argv.map(Number);
  const worker = new Worker(new URL(import.meta.url));
  const body = { resource: "x", value: { text: "x".repeat(900), list: [1, 2, 3, 4], flag: true } };
  const run = () => new Promise((done) => {
    const begin = process.hrtime.bigint();
    let asked = 0;
    let answered = 0;
    const ask = () => { asked += 1; worker.postMessage({ id: asked, type: "read", body }); };
    worker.on("message", function heard() {
      answered += 1;
      if (answered === samples) {
        worker.off("message", heard);
        done(samples / (Number(process.hrtime.bigint() - begin) / 1e9));
      } else if (asked < samples) ask();
    });
    for (let i = 0; i < Math.min(depth, samples); i += 1) ask();
  });
  await run();
  process.stdout.write(`${await run()}\n`);
  process.exit(0);
} else {
  parentPort.on("message", (m) => parentPort.postMessage({ id: m.id, body: { code: 200 } }));
}
