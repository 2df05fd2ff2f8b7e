// rxjs' webSocket() with retry(): an error is tried again, a clean end is the end. Says "open" for each connection, and
// "gave up" at the end. Usage: node rxjs-client.js URL
'use strict';

const { retry } = require('rxjs');
const { webSocket } = require('rxjs/webSocket');
const WebSocket = require('ws');

const [url] = process.argv.slice(2);
webSocket({ url, WebSocketCtor: WebSocket, openObserver: { next: () => console.log('open') } })
  .pipe(retry({ count: 3 }))
  .subscribe({ error: (problem) => console.log(`failed: ${problem.message ?? problem.code}`),
               complete: () => console.log('gave up') });
