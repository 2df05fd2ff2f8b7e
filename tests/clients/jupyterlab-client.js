// JupyterLab's own connection to a kernel; says "open" each time it has one, and "gave up" when it stays without.
// Usage: node jupyterlab-client.js WS-URL-WITHOUT-PATH
'use strict';

const { KernelAPI, KernelConnection, ServerConnection } = require('@jupyterlab/services');
const WebSocket = require('ws');

const [url] = process.argv.slice(2);
console.warn = console.debug = () => {};   // it tells of each reconnection

const serverSettings = ServerConnection.makeSettings({
  baseUrl: url.replace(/^ws/, 'http'), wsUrl: url, WebSocket, appendToken: false,
});
const model = { id: 'kernel', name: 'python3' };
const kernel = new KernelConnection({ model, serverSettings, kernelAPIClient: KernelAPI });
kernel.connectionStatusChanged.connect((_, status) => {
  if (status === 'connected') {
    console.log('open');
  } else if (status === 'disconnected') {
    console.log('gave up');
    process.exit(0);
  }
});
