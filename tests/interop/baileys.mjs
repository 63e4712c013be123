// An independent WhatsApp client, Baileys, and a device of the gateway write to each other through the simulator. It
// runs against what SIM_HTTP, GATEWAY_URL and API_KEY name; `cargo test -p wagate-tests --test interop` starts all that.
import assert from 'node:assert/strict'
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { after, before, test } from 'node:test'

import { downloadMediaMessage } from 'baileys'

import { connect } from './client.mjs'
import { startReceiver } from './receiver.mjs'

// The library's own notes about its sessions go to the console, keys and all.
console.info = () => {}
// The media hosts are https always; the simulator's certificate is made at its start.
process.env.NODE_TLS_REJECT_UNAUTHORIZED ??= '0'

const { SIM_HTTP, GATEWAY_URL, API_KEY } = process.env
assert.ok(SIM_HTTP && GATEWAY_URL && API_KEY, 'set SIM_HTTP, GATEWAY_URL and API_KEY')

/// People of this run alone, so that a sandbox can be used again and again.
const run = randomBytes(4).toString('hex')
const person = name => ({ name: `${name} ${run}`, phone: `62812${randomInt(10_000_000, 99_999_999)}` })
const [ours, theirs] = [person('Gateway'), person('Baileys')]
const token = `interop-${run}`

/// The beginning of a PNG makes it a picture, the rest makes it larger than one block of anything.
const picture = () =>
  Buffer.concat([
    Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64'),
    randomBytes(70_001),
  ])
const sha256 = bytes => createHash('sha256').update(bytes).digest('hex')

async function call(base, method, path, body, headers = {}) {
  const json = body === undefined ? {} : { body: JSON.stringify(body) }
  const response = await fetch(base + path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...json,
  })
  const answer = await response.text()
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${answer}`)
  return JSON.parse(answer)
}
const sim = (method, path, body) => call(SIM_HTTP, method, path, body)
const api = (method, path, body) => call(GATEWAY_URL, method, path, body, { apikey: API_KEY })

let receiver
let baileys

before(async () => {
  receiver = await startReceiver()
  for (const { phone, name } of [ours, theirs]) await sim('POST', '/sim/phones', { phone, name })
  await linkGateway()
  baileys = await connect({
    rootKey: Buffer.from((await sim('GET', '/sim/root-key')).key, 'base64'),
    websocketUrl: `${SIM_HTTP.replace(/^http/, 'ws')}/ws/chat`,
    pushName: theirs.name,
    scan: async qr => {
      const response = await fetch(`${SIM_HTTP}/admin/mock-phone/scan-qr`, { method: 'POST', body: qr })
      assert.equal(response.status, 200, await response.text())
    },
  })
})

after(async () => {
  await baileys?.socket.end(undefined)
  await api('DELETE', `/api/device?token=${token}`)
  await receiver.stop()
  // The library leaves a timer of half a minute behind; the results are out long before that.
  setTimeout(() => process.exit(), 500).unref()
})

async function linkGateway() {
  await api('POST', '/api/start', { token })
  await api('POST', '/api/webhook', { token, url: receiver.url })
  const shown = await api('POST', '/api/qrcode', { token })
  await sim('POST', `/sim/phones/${ours.phone}/scan`, { qr: shown.qrcode })
  await receiver.event('the connection of the gateway', body => body.event === 'connected')
}

/// What Baileys got from our number. Chats go by hidden identity; the number stands beside it.
const fromUs = (what, fits) =>
  baileys.messages.find(what, ({ key, message }) => {
    const author = [key.remoteJid, key.remoteJidAlt].includes(`${ours.phone}@s.whatsapp.net`)
    return author && !key.fromMe && message && fits(message)
  })

/// What the gateway tells about messages from their number.
const fromThem = (what, text) =>
  receiver.event(what, body => body.event === 'message' && body.phone === theirs.phone && body.text === text)

test('the gateway writes to Baileys, and hears that it arrived', async () => {
  const sent = await api('POST', '/api/send', { token, phone: theirs.phone, message: 'Selamat pagi \u{1f44b}' })
  const got = await fromUs('the text', message =>
    [message.conversation, message.extendedTextMessage?.text].includes('Selamat pagi \u{1f44b}'),
  )
  assert.equal(got.key.id, sent.data.id)
  const receipt = await receiver.event('a receipt', body => body.event === 'receipt' && body.ids.includes(sent.data.id))
  assert.equal(receipt.body.phone, theirs.phone)
})

test('Baileys writes to the gateway', async () => {
  const sent = await baileys.socket.sendMessage(`${ours.phone}@s.whatsapp.net`, { text: 'apa kabar?' })
  const { headers, body } = await fromThem('the text', 'apa kabar?')
  assert.deepEqual(
    { id: body.id, fromMe: body.fromMe, pushName: body.pushName, chat: body.chat, token: body.token },
    { id: sent.key.id, fromMe: false, pushName: theirs.name, chat: `${theirs.phone}@s.whatsapp.net`, token },
  )
  assert.equal(headers['webhook-id'], body.event_id)
  assert.match(headers['webhook-signature'], /^v1,/)
})

test('the gateway sends Baileys a picture', async () => {
  const image = picture()
  const file_url = `data:image/png;base64,${image.toString('base64')}`
  await api('POST', '/api/send', { token, phone: theirs.phone, message: 'from here', file_url })
  const got = await fromUs('the picture', message => message.imageMessage?.caption === 'from here')
  assert.equal(got.message.imageMessage.mimetype, 'image/png')
  const downloaded = await downloadMediaMessage(got, 'buffer', {}, { logger: baileys.logger })
  assert.equal(sha256(downloaded), sha256(image))
})

test('Baileys sends the gateway a picture', async () => {
  const image = picture()
  await baileys.socket.sendMessage(`${ours.phone}@s.whatsapp.net`, { image, caption: 'from there', mimetype: 'image/png' })
  const { body } = await fromThem('the picture', 'from there')
  assert.equal(body.type, 'image')
  assert.deepEqual({ kind: body.media.kind, mimetype: body.media.mimetype }, { kind: 'image', mimetype: 'image/png' })
  // The phone behind our device has it too, downloaded and decrypted.
  const { data } = await sim('GET', `/sim/phones/${ours.phone}/messages`)
  const onPhone = data.find(message => message.id === body.id)
  assert.deepEqual([onPhone.kind, onPhone.media.sha256], ['image', sha256(image)])
})
