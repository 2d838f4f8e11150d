// SPDX-License-Identifier: Apache-2.0
// npm's local-aws-sqs on a loopback port, for load: moto's queues slow down with their length.
//
//     node local_sqs.js PORT_FILE
//
// The port is chosen by the system and written to PORT_FILE once connections are accepted. As Amazon SQS does, and the
// package does not, a long poll returns what there is as soon as there is something, and an answer with nothing in it
// is {}. GET /deliveries tells how often messages were delivered, by queue, and how often the most frequent one.
"use strict";
const fs = require("fs");
const http = require("http");
const { createRequestHandler } = require("local-aws-sqs");

const REGION = "us-east-1";
const { service, requestHandler } = createRequestHandler({ port: 0, hostname: "127.0.0.1", region: REGION });
const deliveries = {}; // by queue: message id to count

function watch(queue) {
  const receive = queue.receive.bind(queue);
  const counts = (deliveries[queue.QueueName] = new Map());
  queue.receive = async (options) => {
    const end = Date.now() + 1000 * Number(options.WaitTimeSeconds ?? queue.ReceiveMessageWaitTimeSeconds);
    for (;;) {
      const records = await receive({ ...options, WaitTimeSeconds: 0 });
      for (const { MessageId } of records) counts.set(MessageId, (counts.get(MessageId) ?? 0) + 1);
      if (records.length || Date.now() >= end) return records;
    }
  };
}

function tell(response) {
  const told = {};
  for (const [name, counts] of Object.entries(deliveries)) {
    let [total, most] = [0, 0];
    for (const count of counts.values()) [total, most] = [total + count, Math.max(most, count)];
    told[name] = { messages: counts.size, deliveries: total, most };
  }
  response.end(JSON.stringify(told));
}

const server = http.createServer((request, response) => {
  if (request.url === "/deliveries") return tell(response);
  const end = response.end.bind(response);
  response.end = (body) => end(body || "{}");
  for (const queue of service.Queues) if (!deliveries[queue.QueueName]) watch(queue);
  return requestHandler(request, response);
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  service.PORT = port;
  fs.writeFileSync(`${process.argv[2]}.part`, String(port));
  fs.renameSync(`${process.argv[2]}.part`, process.argv[2]);
});
