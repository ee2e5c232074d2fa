export function withSetupLock<Result>(
  path: string,
  act: () => Promise<Result>,
  options?: { readonly staleMs?: number; readonly waitMaxMs?: number },
): Promise<Result>;
