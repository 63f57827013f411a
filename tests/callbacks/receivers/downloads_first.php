<?php
// A classic mistake: the answer waits for the download.
$content = json_decode((string) file_get_contents('php://input'), true);
$url = $content['data']['audio_wav_url'] ?? null;
if ($url !== null) {
    file_get_contents($url);
}
echo '{"status": "received"}';
