/** Whether the process of this container is ready, by the route that it answers without a key. */
const role = process.env.SLUICE_ROLE ?? "";
const places = new Map([
  ["producer", `${process.env.SLUICE_API_PORT ?? 7700}/readyz`],
  ["autoscaler", `${process.env.SLUICE_CONTROL_PORT ?? 7701}/readyz`],
  ["executor", `${process.env.SLUICE_EXECUTOR_PORT ?? 7710}/livez`],
]);
const place = places.get(role);
if (place !== undefined) {
  try {
    const answer = await fetch(`http://127.0.0.1:${place}`, { signal: AbortSignal.timeout(3_000) });
    if (!answer.ok) {
      console.error(`${place} answers ${answer.status}: ${(await answer.text()).slice(0, 500)}`);
      process.exitCode = 1;
    }
  } catch (error) {
    console.error(`${place} does not answer: ${error.message}`);
    process.exitCode = 1;
  }
}
