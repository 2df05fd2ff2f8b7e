// Opens COUNT socket.io sessions one after the other, as a browser that keeps cookies does, and prints one line of JSON for
// each: which server it reached, the transport that it has come to, what was answered. Usage: node socketio-client.js URL
// TRANSPORTS COUNT
'use strict';

const { io } = require('socket.io-client');

const [url, transports, count] = process.argv.slice(2);

function session(done) {
  const socket = io(url, { transports: transports.split(','), withCredentials: true, forceNew: true, reconnection: false });
  let server;
  const talk = () => socket.emit('say', 'this', (answer) => {
    console.log(JSON.stringify({ server, transport: socket.io.engine.transport.name, answer }));
    socket.disconnect();
    done();
  });
  socket.on('connect_error', (error) => {
    console.log(JSON.stringify({ error: String(error), why: String(error.description) }));
    done();
  });
  socket.on('hello', (name) => {
    server = name;
    const upgrades = transports === 'polling,websocket' && socket.io.engine.transport.name === 'polling';
    if (upgrades) {
      socket.io.engine.once('upgrade', talk);
    } else {
      talk();
    }
  });
}

function next(left) {
  if (left > 0) {
    session(() => next(left - 1));
  }
}

next(Number(count));
