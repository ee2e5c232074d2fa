/** What most teams write first: Fastify, zod and BullMQ's `queue.add`, every option as it comes. */
import { Queue } from "bullmq";
import Fastify from "fastify";
import { Redis } from "ioredis";
import { endWithParent } from "./end-with-parent.mjs";
import { receiptBody } from "./receipt.mjs";
import { redisAddress } from "./redis-address.mjs";

endWithParent();
const queue = new Queue("receipts", { connection: new Redis(redisAddress) });
await queue.waitUntilReady();
const server = Fastify();

server.post("/v1/jobs", async (request, reply) => {
  const body = receiptBody.safeParse(request.body);
  if (!body.success) return reply.code(400).send({ error: "invalid" });
  const job = await queue.add(body.data.type, body.data);
  return reply.code(202).send({ id: job.id, type: job.name, state: "waiting" });
});

await server.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`${JSON.stringify({ port: server.server.address().port })}\n`);
