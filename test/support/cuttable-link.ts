/** A way to Redis that a test can cut: what runs through it hears nothing more, and its connections are gone. */
import { createConnection, createServer, type Server, type Socket } from "node:net";

export class CuttableLink {
  readonly path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(path: string, server: Server) {
    this.path = path;
    this.#server = server;
  }

  /** From a Unix socket of its own to that of a server. */
  static open(path: string, target: string): Promise<CuttableLink> {
    return new Promise((resolve, reject) => {
      const server = createServer((near) => link.#join(near, target));
      const link = new CuttableLink(path, server);
      server.once("error", reject);
      server.listen(path, () => resolve(link));
    });
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #join(near: Socket, target: string): void {
    if (this.#isCut) {
      near.destroy();
      return;
    }
    const far = createConnection(target);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.on("error", () => undefined);
      one.on("close", () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }
}
