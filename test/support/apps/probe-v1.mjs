export { probeV1 as app } from "./probe.mjs";
