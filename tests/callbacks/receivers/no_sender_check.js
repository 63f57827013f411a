// A classic mistake: whoever knows the path is believed, and what comes again is downloaded again.
"use strict";
const express = require("express");

const app = express();
app.post(process.env.CALLBACK_PATH, express.json(), (request, response) => {
  response.json({ status: "received" });
  const url = request.body.data?.audio_wav_url;
  if (url) fetch(url).then((file) => file.arrayBuffer());
});
app.listen(Number(process.env.PORT), "127.0.0.1");
