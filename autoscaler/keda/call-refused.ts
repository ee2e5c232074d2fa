/** A call of the scaler that gets no number, with the gRPC status that says so. Never leaves this folder. */
import type { status } from "@grpc/grpc-js";

export class CallRefusedError extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.name = "CallRefusedError";
    this.code = code;
  }
}
