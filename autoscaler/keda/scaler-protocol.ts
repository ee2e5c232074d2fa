/** KEDA's external scaler protocol as the gRPC library wants it: the service of `externalscaler.proto`, and its messages. */
import { fileURLToPath } from "node:url";
import { type GrpcObject, loadPackageDefinition, type ServiceClientConstructor } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

export interface ScaledObjectRef {
  readonly name: string;
  readonly namespace: string;
  readonly scalerMetadata: Readonly<Record<string, string>>;
}

export interface IsActiveResponse {
  readonly result: boolean;
}

export interface GetMetricSpecResponse {
  readonly metricSpecs: readonly {
    readonly metricName: string;
    readonly targetSize: number;
    readonly targetSizeFloat: number;
  }[];
}

export interface GetMetricsRequest {
  readonly scaledObjectRef: ScaledObjectRef | null;
  readonly metricName: string;
}

export interface GetMetricsResponse {
  readonly metricValues: readonly {
    readonly metricName: string;
    readonly metricValue: number;
    readonly metricValueFloat: number;
  }[];
}

/** Reads the protocol file, which lies beside this one. Its `service` is what a server offers; a client is made with `new`. */
export function externalScaler(): ServiceClientConstructor {
  const path = fileURLToPath(new URL("./externalscaler.proto", import.meta.url));
  // Names as they are in the file, whole numbers as numbers, and what was left out as its default.
  const definition = loadSync(path, { keepCase: true, longs: Number, defaults: true });
  const { ExternalScaler } = loadPackageDefinition(definition).externalscaler as GrpcObject;
  return ExternalScaler as ServiceClientConstructor;
}
