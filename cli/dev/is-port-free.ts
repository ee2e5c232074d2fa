/** Whether an address can be listened on, found out by listening on it for a moment. */
import { createServer } from "node:net";
import { usageError } from "../cli-error.ts";

/** @throws {CliError} when the address itself cannot be used. */
export function isPortFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(usageError(`Cannot listen on ${host} port ${port} (${error.code}).`, "See SLUICE_HOST."));
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
