// Opens a tunnel with node's ws, demands every message back, answers and sends pings, closes with 1000 and prints how
// it ended. Usage: node ws-client.js URL CA-FILE
'use strict';

const assert = require('assert');
const fs = require('fs');
const WebSocket = require('ws');

const [url, caFile] = process.argv.slice(2);
const messages = ['', 'hello', 'ü'.repeat(1000), Buffer.alloc(80000, 0xa5), 'x'.repeat(1000000)];

const socket = new WebSocket(url, ['chat'], { ca: fs.readFileSync(caFile), maxPayload: 0 });
let next = 0;

function step() {
  if (next < messages.length) {
    socket.send(messages[next]);
  } else {
    socket.ping('are you there?');
  }
}

socket.on('open', () => {
  assert.strictEqual(socket.protocol, 'chat');
  step();
});

socket.on('message', (data, isBinary) => {
  const expected = messages[next];
  assert.strictEqual(isBinary, Buffer.isBuffer(expected));
  assert.ok(data.equals(Buffer.from(expected)));
  next += 1;
  step();
});

socket.on('pong', (payload) => {
  assert.strictEqual(payload.toString(), 'are you there?');
  socket.close(1000, 'done');
});

socket.on('close', (code, reason) => {
  console.log(`closed ${code} ${reason}`);
});

socket.on('error', (problem) => {
  console.error(problem);
  process.exit(1);
});
