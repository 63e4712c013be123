// Receivers of webhooks, and servers of files, as bad as a story needs them.
import { once } from 'node:events';
import { createServer } from 'node:http';

/** Answers as `act` says, which may be changed; `end` closes it and every connection. */
export async function receiver(act) {
  const got = [];
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      got.push({ headers: request.headers, body: Buffer.concat(parts).toString() });
      one.act(response, request);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const one = {
    url: `http://127.0.0.1:${server.address().port}/hook`,
    act,
    got,
    async end() {
      server.closeAllConnections();
      if (server.listening) {
        server.close();
        await once(server, 'close');
      }
    },
  };
  return one;
}

export const answers = (status, body = '') => (response) => response.writeHead(status, { 'content-type': 'text/plain' }).end(body);

/** Says nothing until the connection is closed. */
export const hangs = () => undefined;

export const gives = (content, type) => (response) => response.writeHead(200, { 'content-type': type }).end(content);
