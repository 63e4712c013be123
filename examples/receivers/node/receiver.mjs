// Receives webhooks of wagate: verified by the official library, each event once, also over restarts.
//
//   WEBHOOK_SECRET=whsec_… node receiver.mjs
import { createServer } from 'node:http'
import { appendFileSync, fsyncSync, openSync, readFileSync } from 'node:fs'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'

const { WEBHOOK_SECRET, PORT = '9000', SEEN_FILE = 'seen.txt' } = process.env
const MAX_BYTES = 1 << 20

if (!WEBHOOK_SECRET) throw new Error('WEBHOOK_SECRET is missing')
const webhook = new Webhook(WEBHOOK_SECRET)

// One id a line. An empty line at each start ends a line that a power cut tore.
const journal = openSync(SEEN_FILE, 'a')
appendFileSync(journal, '\n')
const seen = new Set(readFileSync(SEEN_FILE, 'utf8').split('\n'))

/** Your own work. What it throws is answered with 500, and the event comes again. */
function handle(event) {
  console.log(`${event.event_id} ${event.event} ${JSON.stringify(event.text ?? '')}`)
}

/** The status to answer with. Nothing in here waits, so the same event never runs twice at a time. */
function receive(headers, body) {
  let event
  try {
    event = webhook.verify(body, headers)
  } catch (error) {
    if (error instanceof WebhookVerificationError) return 401
    throw error
  }
  const id = headers['webhook-id']
  if (seen.has(id)) return 204
  handle(event)
  appendFileSync(journal, `${id}\n`)
  fsyncSync(journal)
  seen.add(id)
  return 204
}

async function read(request) {
  const pieces = []
  let bytes = 0
  for await (const piece of request) {
    bytes += piece.length
    if (bytes > MAX_BYTES) return null
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

async function answer(request) {
  if (request.method !== 'POST') return 405
  const body = await read(request)
  return body === null ? 413 : receive(request.headers, body)
}

const server = createServer(async (request, response) => {
  const status = await answer(request).catch((error) => {
    console.error(error)
    return 500
  })
  response.writeHead(status).end()
})
server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`receiver listens on http://127.0.0.1:${server.address().port}`)
})
