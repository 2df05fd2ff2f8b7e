// Listens on COUNT tunnels with node's ws, which refuses every broken frame, and prints a line for each that ends: its
// close code and reason, or the error. Prints "open" when all are. Usage: node ws-listener.js URL COUNT CA-FILE
'use strict';

const fs = require('fs');
const WebSocket = require('ws');

const [url, count, caFile] = process.argv.slice(2);
let open = 0;

for (let i = 0; i < Number(count); i += 1) {
  const socket = new WebSocket(url, { ca: fs.readFileSync(caFile), maxPayload: 0, perMessageDeflate: false });
  socket.on('message', (data) => {
    if (data.length !== 65536) {
      console.log(`a message of ${data.length} bytes`);
    }
  });
  socket.once('message', () => {
    open += 1;
    if (open === Number(count)) {
      console.log('open');
    }
  });
  socket.on('close', (code, reason) => console.log(`${code} ${reason}`));
  socket.on('error', (problem) => console.log(`error ${problem}`));
}
