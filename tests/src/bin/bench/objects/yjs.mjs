// A peer of the bench: the same change of one attribute, as a Yjs document.
//
//   node yjs.mjs YJS SOCKET near   changes, as often as a line `SAMPLES DEPTH` on its input says
//   node yjs.mjs YJS SOCKET far    observes, and says what it saw
//
// On the socket travel frames: a length of four bytes, then an update of the
// document (to the far side) or the number that was seen (to the near side).

import { createRequire } from "node:module";
import { connect } from "node:net";
import { createInterface } from "node:readline";

const [, , yjs, path, side] = process.argv;
const Y = createRequire(import.meta.url)(yjs);
const stream = connect(path, () => process.stdout.write("ready\n"));
stream.on("close", () => process.exit(0));
const doc = new Y.Doc();
const map = doc.getMap("data");

let received = Buffer.alloc(0);
function onFrames(onFrame) {
  stream.on("data", (bytes) => {
    received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
    let at = 0;
    while (received.length >= at + 4) {
      const end = at + 4 + received.readUInt32LE(at);
      if (received.length < end) break;
      onFrame(received.subarray(at + 4, end));
      at = end;
    }
    received = received.subarray(at);
  });
}

function send(bytes) {
  const frame = Buffer.alloc(4 + bytes.length);
  frame.writeUInt32LE(bytes.length, 0);
  frame.set(bytes, 4);
  stream.write(frame);
}

function observe() {
  map.observe(() => send(Buffer.from(String(map.get("n")))));
  onFrames((bytes) => Y.applyUpdate(doc, bytes));
}

function change() {
  const open = new Map();
  let round;
  let made = 0;
  doc.on("update", send);
  onFrames((bytes) => {
    const seen = Number(bytes);
    const one = open.get(seen);
    if (one === undefined || --one.left > 0) return;
    open.delete(seen);
    round(Number(process.hrtime.bigint() - one.begin));
  });
  const make = (observers) => {
    made += 1;
    open.set(made, { left: observers, begin: process.hrtime.bigint() });
    map.set("n", made);
  };
  createInterface({ input: process.stdin }).on("line", (line) => {
    const [samples, depth, observers] = line.split(" ").map(Number);
    const nanoseconds = [];
    let asked = 0;
    round = (took) => {
      nanoseconds.push(took);
      if (nanoseconds.length === samples) process.stdout.write(`${JSON.stringify(nanoseconds)}\n`);
      else if (asked < samples) { asked += 1; make(observers); }
    };
    while (asked < Math.min(depth, samples)) { asked += 1; make(observers); }
  });
}

if (side === "far") observe();
else change();
