// A node server as people run them behind httpd: socket.io at /socket.io/, SockJS at /eventbus/, and a plain WebSocket echo
// anywhere else. Each says who it is. Usage: node server.js NAME; prints its port.
'use strict';

const http = require('http');
const { Server } = require('socket.io');
const sockjs = require('sockjs');
const WebSocket = require('ws');

const name = process.argv[2];
const server = http.createServer((request, response) => response.end(`page of ${name}`));

new Server(server).on('connection', (socket) => {
  socket.emit('hello', name);
  socket.on('say', (text, answer) => answer(`${name} heard ${text}`));
});

// Frequent heartbeats: by them mod_proxy_http notices that the client of a streaming transport has gone.
const bus = sockjs.createServer({ log: () => {}, heartbeat_delay: 200 });
bus.on('connection', (connection) => {
  connection.write(`hello from ${name}`);
  connection.on('data', (text) => connection.write(`${name} heard ${text}`));
});
bus.installHandlers(server, { prefix: '/eventbus' });

const echo = new WebSocket.Server({ noServer: true, perMessageDeflate: true });
server.on('upgrade', (request, socket, head) => {
  if (!/^\/(socket\.io|eventbus)\//.test(request.url)) {
    echo.handleUpgrade(request, socket, head, (connection) => {
      connection.on('message', (data, isBinary) => connection.send(data, { binary: isBinary }));
    });
  }
});

server.listen(0, '127.0.0.1', () => console.log(server.address().port));
