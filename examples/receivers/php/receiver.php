<?php

// Receives webhooks of wagate: verified, each event once, also over restarts. Works behind any web server; to try it:
//
//   WEBHOOK_SECRET=whsec_… php -S 127.0.0.1:9000 receiver.php

declare(strict_types=1);

const TOLERANCE_SECONDS = 300;

/** Your own work. What it throws is answered with 500, and the event comes again. */
function handle(array $event): void
{
    $text = json_encode($event['text'] ?? '', JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
    error_log("{$event['event_id']} {$event['event']} $text");
}

/** Whether one of the signatures is ours: there are two while a secret is being replaced. */
function isSigned(string $secret, string $id, string $timestamp, string $signatures, string $body): bool
{
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret), true);
    if (!$key) {
        throw new RuntimeException('WEBHOOK_SECRET is missing or wrong');
    }
    if (!ctype_digit($timestamp) || abs(time() - (int) $timestamp) > TOLERANCE_SECONDS) {
        return false;
    }
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    foreach (explode(' ', $signatures) as $signature) {
        if (hash_equals($expected, $signature)) {
            return true;
        }
    }
    return false;
}

/** One file an id: locked while the event is handled, no longer empty once it was. */
function once(string $id, callable $handle): void
{
    $folder = getenv('SEEN_DIR') ?: __DIR__ . '/seen';
    is_dir($folder) || mkdir($folder, 0700, true) || is_dir($folder);
    $mark = fopen($folder . '/' . hash('sha256', $id), 'c+');
    if ($mark === false || !flock($mark, LOCK_EX)) {
        throw new RuntimeException("$folder cannot be written");
    }
    if (fstat($mark)['size'] === 0) {
        $handle();
        fwrite($mark, "$id\n");
        fsync($mark);
    }
    fclose($mark);
}

function answer(): int
{
    if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
        return 405;
    }
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    $signatures = $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '';
    // The bytes as they came: JSON that was read and written again is not what was signed.
    $body = file_get_contents('php://input');
    if (!isSigned((string) getenv('WEBHOOK_SECRET'), $id, $timestamp, $signatures, $body)) {
        return 401;
    }
    once($id, fn () => handle(json_decode($body, true, 512, JSON_THROW_ON_ERROR)));
    return 204;
}

// An error after this line must not look like a success.
http_response_code(500);
http_response_code(answer());
