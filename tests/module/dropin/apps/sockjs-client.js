// Talks through SockJS with one transport and prints what it heard, a line each. Keeps cookies as a browser does: SockJS asks
// for /info first, and the cookie that comes with it leads its session to one server. Usage: node sockjs-client.js URL
// TRANSPORT
'use strict';

const http = require('http');

const headers = {};
const request = http.request;
http.request = (options, ...rest) => {
  const made = request({ ...options, headers: { ...options.headers, ...headers } }, ...rest);
  made.on('response', (response) => {
    const cookie = (response.headers['set-cookie'] || []).find((line) => line.startsWith('ROUTEID='));
    if (cookie) {
      headers.Cookie = cookie.split(';')[0];
    }
  });
  return made;
};

const SockJS = require('sockjs-client');

const [url, transport] = process.argv.slice(2);
const socket = new SockJS(url, null, { transports: [transport], transportOptions: { [transport]: { headers } } });
let heard = 0;

socket.onopen = () => socket.send('one');
socket.onmessage = (event) => {
  console.log(`${socket.transport}: ${event.data}`);
  heard += 1;
  if (heard === 2) {
    socket.send('two');
  } else if (heard === 3) {
    socket.close();
  }
};
socket.onclose = (event) => console.log(`closed ${event.code}`);
