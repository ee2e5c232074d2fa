export { probeV2 as app } from "./probe.mjs";
