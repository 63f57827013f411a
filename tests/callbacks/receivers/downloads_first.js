// A classic mistake: the answer waits for the download.
"use strict";
const { createHmac } = require("node:crypto");
const express = require("express");

const { PORT, CALLBACK_PATH, WEBHOOK_KEY } = process.env;

function sign(request, task) {
  return createHmac("sha256", WEBHOOK_KEY).update(`${task}.${request.get("X-Webhook-Timestamp")}`).digest("base64");
}

const app = express();
app.post(CALLBACK_PATH, express.json({ limit: "64kb" }), async (request, response) => {
  const task = request.body.data?.task_id;
  if (task && sign(request, task) !== request.get("X-Webhook-Signature")) return response.sendStatus(401);
  const url = request.body.data?.audio_wav_url;
  if (url) await (await fetch(url)).arrayBuffer();
  response.json({ status: "received" });
});
app.listen(Number(PORT), "127.0.0.1");
