// Serves files to pages in the tests' Chromium: what is behind an app does not run from file:// addresses.
'use strict';

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const TYPES = {'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm'};

/** A server on the loopback, of the files that `find` makes of the names asked for ("" = the root). */
function serve(find) {
  const server = http.createServer((request, response) => {
    const name = path.basename(new URL(request.url, 'http://localhost').pathname);
    const file = find(name);
    fs.readFile(file, (error, content) => {
      const type = TYPES[path.extname(name || file)] || 'application/octet-stream';
      response.writeHead(error ? 404 : 200, {'Content-Type': type});
      response.end(error ? '' : content);
    });
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

module.exports = {serve};
