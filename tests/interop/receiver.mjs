// What a test waits for: things that arrive, and a webhook receiver that puts them there.
import { once } from 'node:events'
import http from 'node:http'
import { text } from 'node:stream/consumers'

/// Longest wait for one thing.
const PATIENCE_MS = 30_000

/** Keeps what arrives; whoever waits for something gets it when it is there, or was there before. */
export class Inbox {
  #items = []
  #waiting = new Set()

  put(item) {
    this.#items.push(item)
    for (const look of [...this.#waiting]) look(item)
  }

  find(what, fits) {
    const found = this.#items.find(fits)
    if (found) return Promise.resolve(found)
    return new Promise((resolve, reject) => {
      const give = setTimeout(() => {
        this.#waiting.delete(look)
        reject(new Error(`${what} did not arrive; came: ${JSON.stringify(this.#items, null, 1)}`))
      }, PATIENCE_MS)
      const look = item => {
        if (!fits(item)) return
        clearTimeout(give)
        this.#waiting.delete(look)
        resolve(item)
      }
      this.#waiting.add(look)
    })
  }
}

/** A webhook endpoint on a free port that answers 204 and keeps headers and body. */
export async function startReceiver() {
  const inbox = new Inbox()
  const server = http.createServer(async (request, response) => {
    const body = await text(request)
    response.writeHead(204).end()
    inbox.put({ headers: request.headers, body: JSON.parse(body) })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${server.address().port}/hook`,
    event: (what, fits) => inbox.find(what, ({ body }) => fits(body)),
    stop: () => {
      server.closeAllConnections()
      return new Promise(resolve => server.close(resolve))
    },
  }
}
