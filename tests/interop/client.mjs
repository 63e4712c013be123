// A Baileys client that trusts the simulator and keeps everything in memory.
import makeWASocket, { BufferJSON, DisconnectReason, WA_CERT_DETAILS, initAuthCreds } from 'baileys'
import pino from 'pino'

import { Inbox } from './receiver.mjs'

const logger = pino({ level: process.env.BAILEYS_LOG ?? 'silent' }, pino.destination(2))

function memoryAuth() {
  const kept = new Map()
  // A copy each way, as from a disk: the library changes what it was given.
  const copy = value => JSON.parse(JSON.stringify(value, BufferJSON.replacer), BufferJSON.reviver)
  const name = (type, id) => `${type}/${id}`
  return {
    creds: initAuthCreds(),
    keys: {
      get: async (type, ids) =>
        Object.fromEntries(
          ids.filter(id => kept.has(name(type, id))).map(id => [id, copy(kept.get(name(type, id)))]),
        ),
      set: async data => {
        for (const [type, entries] of Object.entries(data)) {
          for (const [id, value] of Object.entries(entries)) {
            if (value) kept.set(name(type, id), copy(value))
            else kept.delete(name(type, id))
          }
        }
      },
    },
  }
}

/**
 * Links a device to the simulated phone whose owner is called `pushName`, and connects. `scan` shows a code to that
 * phone. WhatsApp ends the connection after pairing: the second one is the client's.
 */
export async function connect({ rootKey, websocketUrl, pushName, scan }) {
  // The library checks the server's certificate chain, against this key.
  WA_CERT_DETAILS.PUBLIC_KEY = rootKey
  const auth = memoryAuth()
  const messages = new Inbox()
  for (;;) {
    const socket = makeWASocket({ auth, waWebSocketUrl: websocketUrl, pushName, logger, syncFullHistory: false })
    socket.ev.on('creds.update', update => Object.assign(auth.creds, update))
    socket.ev.on('messages.upsert', batch => batch.messages.forEach(message => messages.put(message)))
    if (await opened(socket, scan)) return { socket, messages, logger }
  }
}

/// True once the connection is usable, false when it has to be made again.
function opened(socket, scan) {
  return new Promise((resolve, reject) => {
    let shown = false
    socket.ev.on('connection.update', ({ qr, connection, lastDisconnect }) => {
      if (qr && !shown) {
        shown = true
        scan(qr).catch(reject)
      }
      if (connection === 'open') resolve(true)
      if (connection === 'close') {
        const status = lastDisconnect?.error?.output?.statusCode
        if (status === DisconnectReason.restartRequired) resolve(false)
        else reject(lastDisconnect?.error ?? new Error('closed'))
      }
    })
  })
}
