/** What HTTP, parsing and validation cost by themselves: a Fastify route that keeps nothing. */
import Fastify from "fastify";
import { endWithParent } from "./end-with-parent.mjs";
import { receiptBody } from "./receipt.mjs";

endWithParent();
const server = Fastify();

server.post("/v1/jobs", async (request, reply) => {
  const body = receiptBody.safeParse(request.body);
  if (!body.success) return reply.code(400).send({ error: "invalid" });
  return reply.code(202).send({ type: body.data.type, state: "waiting" });
});

await server.listen({ host: "127.0.0.1", port: 0 });
process.stdout.write(`${JSON.stringify({ port: server.server.address().port })}\n`);
