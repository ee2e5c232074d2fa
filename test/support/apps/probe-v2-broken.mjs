export { probeV2Broken as app } from "./probe.mjs";
