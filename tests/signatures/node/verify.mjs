// Reads deliveries on standard input and says of each what the official library thinks.
import { readFileSync } from 'node:fs'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'

const judge = ({ secret, headers, body }) => {
  try {
    new Webhook(secret).verify(Buffer.from(body, 'base64'), headers)
    return 'valid'
  } catch (error) {
    if (error instanceof WebhookVerificationError) return 'forged'
    throw error
  }
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(judge)))
