import { appOf } from "./app.mjs";

export const app = appOf(2);
