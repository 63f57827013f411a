// The same receiver with Express; run where express is found (NODE_PATH).
//
//     node express_receiver.js PORT PATH TASK_ID

"use strict";

const { timingSafeEqual } = require("node:crypto");
const { EventEmitter } = require("node:events");
const express = require("express");

const [port, secretPath, taskId] = process.argv.slice(2);
const secret = Buffer.from(secretPath);
const callbacks = new EventEmitter();
let woken = 0;
callbacks.on(taskId, () => { woken += 1; });

function isSecret(path) {
  const given = Buffer.from(path);
  return given.length === secret.length && timingSafeEqual(given, secret);
}

const app = express();
app.post(
  "/*path",
  (request, response, next) => {
    if (isSecret(request.path)) next();
    else response.status(404).json({ status: "not found" });
  },
  express.json({ limit: 64 * 1024, type: () => true }),
  (request, response) => {
    const content = request.body;
    if (content === null || typeof content !== "object" || Array.isArray(content)) {
      response.status(400).json({ status: "not a JSON object" });
      return;
    }
    if (typeof content.data?.task_id === "string") callbacks.emit(content.data.task_id);
    response.json({ status: "received" });
  },
);
app.listen(Number(port), "127.0.0.1");
